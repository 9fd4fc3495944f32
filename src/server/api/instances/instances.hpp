#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "server/store/signals.hpp"

namespace molecule::server {

/// The other processes that serve the same store (platform-operation.md 3). Without any, which is
/// always so with SQLite, this one leads and tells nobody anything.
class Instances {
 public:
  using Handler = std::function<void(std::string_view text)>;

  /// What a text is about.
  enum class Subject : char {
    rows = 'r',     ///< there are new event rows
    event = 'e',    ///< an event that is no row
    fetched = 'f',  ///< how far an agent has come with its inbox
    rates = 'q',    ///< requests that tokens and addresses have made
    guesses = 'g'   ///< wrong tokens from an address
  };

  /// `signals` reaches the others; null if there can be none.
  explicit Instances(store::Signals* signals);

  bool shared() const { return signals_ != nullptr; }
  /// Work that one instance does for all is this one's.
  bool leads() const { return signals_ == nullptr || signals_->leads(); }
  /// This process, as others see it.
  const std::string& id() const { return id_; }

  /// `handler` gets what other instances tell. One for each subject.
  void on(Subject subject, Handler handler) { handlers_[subject] = std::move(handler); }
  /// Tells the others soon, together with whatever else there is. A text is one line, of less than
  /// 4,000 bytes; others are dropped. What is told twice in one go is told once.
  void tell(Subject subject, std::string_view text);

  /// Listens until cancelled. `connected` is called when texts may have been missed.
  awaitable<void> run(std::function<void()> connected);

 private:
  void hear(std::string_view text);
  void flush();

  store::Signals* signals_;
  std::string id_;
  std::map<Subject, Handler> handlers_;
  /// The lines of the next text.
  std::string lines_;
  bool flushing_ = false;
  /// Empty until `run`.
  asio::any_io_executor executor_;
};

}  // namespace molecule::server

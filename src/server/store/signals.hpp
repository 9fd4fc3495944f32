#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"

namespace molecule::server::store {

/// How the processes that use one store reach each other, where the engine allows several: short
/// texts to all others, and one process that leads. A text may be lost when a connection is; what
/// must not be lost is a row, and the text only says that there is one.
class Signals {
 public:
  /// Longer ones are not sent.
  static constexpr std::size_t max_bytes = 7'900;

  struct Handlers {
    /// A text of any process, this one included.
    std::function<void(std::string_view text)> heard;
    /// From now on texts are heard; some may have been missed before.
    std::function<void()> connected;
  };

  virtual ~Signals() = default;
  /// Sends it soon, when nothing else is on its way. Never throws.
  virtual void send(std::string text) = 0;
  /// True for at most one process. When it ends, hangs or loses the store, another one leads within
  /// 5 s.
  virtual bool leads() const = 0;
  /// Connects, and connects again, until cancelled.
  virtual awaitable<void> run(Handlers handlers) = 0;
};

}  // namespace molecule::server::store

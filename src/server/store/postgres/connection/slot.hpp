#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "base/async/asio.hpp"
#include "base/async/backoff.hpp"
#include "server/store/postgres/connection/link.hpp"
#include "server/store/postgres/connection/store_url.hpp"
#include "server/store/store_error.hpp"

namespace molecule::server::store::postgres {

/// One connection of the pool: made when it is needed, and made again after it was lost. While the
/// server is away, tries become rarer, and whoever asks in between is told so at once.
class Slot {
 public:
  explicit Slot(const Parameters& parameters) : parameters_(parameters) {}
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() { close(); }

  /// A live connection. Throws `StoreError` (unavailable).
  awaitable<std::shared_ptr<Link>> link();
  void close();
  /// Jobs that are not done.
  std::size_t load() const { return link_ ? link_->load() : 0; }

 private:
  /// A connection on its way, which outlives whoever asked for it.
  struct Attempt {
    explicit Attempt(const asio::any_io_executor& executor)
        : ended(executor, asio::steady_timer::time_point::max()) {}
    asio::steady_timer ended;
    bool done = false;
    std::shared_ptr<Link> link;
    std::optional<StoreError> error;
  };
  static awaitable<void> try_connect(Parameters parameters, std::shared_ptr<Attempt> attempt);
  void take(Attempt& attempt);

  const Parameters& parameters_;
  std::shared_ptr<Link> link_;
  std::shared_ptr<Attempt> attempt_;
  Backoff backoff_{std::chrono::milliseconds(50), std::chrono::seconds(2)};
  std::chrono::steady_clock::time_point next_try_;
};

}  // namespace molecule::server::store::postgres

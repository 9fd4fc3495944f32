#include "base/async/event.hpp"

#include <system_error>

namespace molecule {

void Event::notify_all() {
  for (Waiter* waiter : waiters_) {
    waiter->notified = true;
    waiter->timer.cancel();
  }
}

awaitable<void> Event::wait() {
  auto notified = co_await wait_until(Clock::time_point::max());
  (void)notified;
}

awaitable<bool> Event::wait_until(Clock::time_point deadline) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Waiter waiter{asio::steady_timer(executor)};
  struct Registered {
    Registered(Event& event_, Waiter& waiter_, Clock::time_point until)
        : event(event_), at(event.waiters_.insert(event.waiters_.end(), &waiter_)) {
      event.clock_.arm(waiter_.timer, until);
    }
    Registered(const Registered&) = delete;
    Registered& operator=(const Registered&) = delete;
    ~Registered() {
      event.clock_.disarm((*at)->timer);
      event.waiters_.erase(at);
    }
    Event& event;
    std::list<Waiter*>::iterator at;
  };
  const Registered registered(*this, waiter, deadline);
  while (!waiter.notified && clock_.now() < deadline) {
    [[maybe_unused]] auto [error] = co_await waiter.timer.async_wait(as_tuple);
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      throw std::system_error(asio::error::operation_aborted);
    }
  }
  co_return waiter.notified;
}

}  // namespace molecule

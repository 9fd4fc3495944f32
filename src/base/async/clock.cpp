#include "base/async/clock.hpp"

#include <ctime>
#include <system_error>

namespace molecule {

namespace {

struct Armed {
  Armed(Clock& clock_, asio::steady_timer& timer_, Clock::time_point deadline)
      : clock(clock_), timer(timer_) {
    clock.arm(timer, deadline);
  }
  Armed(const Armed&) = delete;
  Armed& operator=(const Armed&) = delete;
  ~Armed() { clock.disarm(timer); }
  Clock& clock;
  asio::steady_timer& timer;
};

Clock::duration read(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

SystemClock::duration SystemClock::suspended() const {
#if defined(__linux__)
  return read(CLOCK_BOOTTIME) - read(CLOCK_MONOTONIC);
#elif defined(__APPLE__)
  return read(CLOCK_MONOTONIC_RAW) - read(CLOCK_UPTIME_RAW);
#else
  // There is no better source here: a step of the wall clock looks like a suspend.
  return read(CLOCK_REALTIME) - read(CLOCK_MONOTONIC);
#endif
}

awaitable<void> sleep_until(Clock& clock, Clock::time_point deadline) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  while (clock.now() < deadline) {
    asio::steady_timer timer(executor);
    const Armed armed(clock, timer, deadline);
    [[maybe_unused]] auto [error] = co_await timer.async_wait(as_tuple);
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      throw std::system_error(asio::error::operation_aborted);
    }
  }
}

awaitable<void> sleep_for(Clock& clock, Clock::duration duration) {
  return sleep_until(clock, clock.now() + duration);
}

awaitable<void> next_turn() {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  co_await asio::post(executor, asio::use_awaitable);
}

}  // namespace molecule

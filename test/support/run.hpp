#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

#include "base/async/asio.hpp"

namespace molecule::test {

/// How long a test waits for what must come, however busy the machine is. It says nothing about
/// speed.
inline constexpr std::chrono::seconds max_wait{240};

/// Runs the loop until `task` has ended. Fails the test if it takes longer than `deadline` (real
/// time), and rethrows what the task throws.
inline void run(asio::io_context& loop, awaitable<void> task,
                std::chrono::milliseconds deadline = max_wait) {
  std::exception_ptr failure;
  bool ended = false;
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr error) {
    failure = error;
    ended = true;
  });
  const auto until = std::chrono::steady_clock::now() + deadline;
  loop.restart();
  while (!ended && loop.run_one_until(until) != 0) {
  }
  if (!ended) throw std::runtime_error("the task did not end before the deadline");
  if (failure) std::rethrow_exception(failure);
}

template <class T>
awaitable<void> keep_result(awaitable<T> task, std::optional<T>& result) {
  T value = co_await std::move(task);
  result.emplace(std::move(value));
}

/// The same for a task with a result.
template <class T>
T run(asio::io_context& loop, awaitable<T> task, std::chrono::milliseconds deadline = max_wait) {
  std::optional<T> result;
  run(loop, keep_result(std::move(task), result), deadline);
  return std::move(*result);
}

}  // namespace molecule::test

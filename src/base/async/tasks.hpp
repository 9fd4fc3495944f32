#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string_view>

#include "base/async/asio.hpp"
#include "base/async/clock.hpp"
#include "base/async/event.hpp"

namespace molecule {

/// Logs what a task failed with, as an internal error of the program.
void log_failure(std::string_view task, const std::exception_ptr& error);

/// Coroutines that run concurrently and end together. Nothing in this program is detached: whoever
/// starts a task owns the group that ends it.
///
/// A task ends by returning, or when its group is cancelled (terminal; it then unwinds with
/// `asio::error::operation_aborted`, which is expected). Any other exception that escapes is a
/// programming error: it goes to `on_failure` with the task's name, and the program stops.
class TaskGroup {
 public:
  using Id = std::uint64_t;
  using OnFailure = std::function<void(std::string_view task, std::exception_ptr error)>;

  TaskGroup(asio::any_io_executor executor, Clock& clock, OnFailure on_failure);
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  /// By now every task must have ended (`join`), or the `io_context` must never run again.
  ~TaskGroup();

  /// Starts `task` from the loop, not from within this call. `name` must be a literal.
  Id spawn(std::string_view name, awaitable<void> task);
  /// Cancels one task; unknown ids (already ended) are ignored.
  void cancel(Id id);
  void cancel_all();
  std::size_t size() const;
  /// Returns when the group is empty.
  awaitable<void> join();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace molecule

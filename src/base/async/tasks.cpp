#include "base/async/tasks.hpp"

#include <system_error>
#include <utility>

#include "base/log.hpp"

namespace molecule {

void log_failure(std::string_view task, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    log::error("internal error in {}: {}", task, e.what());
  } catch (...) {
    log::error("internal error in {}", task);
  }
}

struct TaskGroup::State : std::enable_shared_from_this<TaskGroup::State> {
  State(asio::any_io_executor executor_, Clock& clock, OnFailure on_failure_)
      : executor(std::move(executor_)), on_failure(std::move(on_failure_)), changed(clock) {}

  asio::any_io_executor executor;
  OnFailure on_failure;
  Event changed;
  Id last_id = 0;
  std::map<Id, asio::cancellation_signal> running;

  void ended(Id id, std::string_view name, std::exception_ptr error) {
    // The handler that calls this is still using the signal.
    asio::post(executor, [self = shared_from_this(), id] {
      self->running.erase(id);
      if (self->running.empty()) self->changed.notify_all();
    });
    if (!error) return;
    try {
      std::rethrow_exception(error);
    } catch (const std::system_error& e) {
      if (e.code() == asio::error::operation_aborted) return;
    } catch (...) {
      // Reported below, like any other escaped exception.
    }
    on_failure(name, error);
  }
};

TaskGroup::TaskGroup(asio::any_io_executor executor, Clock& clock, OnFailure on_failure)
    : state_(std::make_shared<State>(std::move(executor), clock, std::move(on_failure))) {}

TaskGroup::~TaskGroup() = default;

TaskGroup::Id TaskGroup::spawn(std::string_view name, awaitable<void> task) {
  const Id id = ++state_->last_id;
  asio::cancellation_signal& signal = state_->running[id];
  asio::co_spawn(state_->executor, std::move(task),
                 asio::bind_cancellation_slot(signal.slot(),
                                              [state = state_, id, name](std::exception_ptr error) {
                                                state->ended(id, name, error);
                                              }));
  return id;
}

void TaskGroup::cancel(Id id) {
  const auto found = state_->running.find(id);
  if (found == state_->running.end()) return;
  asio::post(state_->executor, [state = state_, id] {
    const auto task = state->running.find(id);
    if (task != state->running.end()) task->second.emit(asio::cancellation_type::terminal);
  });
}

void TaskGroup::cancel_all() {
  for (const auto& [id, signal] : state_->running) cancel(id);
}

std::size_t TaskGroup::size() const {
  return state_->running.size();
}

awaitable<void> TaskGroup::join() {
  const std::shared_ptr<State> state = state_;
  while (!state->running.empty()) co_await state->changed.wait();
}

}  // namespace molecule

#pragma once

#include <functional>
#include <list>
#include <string>

namespace molecule::workspace {

/// What one session is at work on, or several together, as the heartbeat tells it.
struct Load {
  int active_tasks = 0;
  /// Empty when idle.
  std::string current_task = {};
  bool operator==(const Load&) const = default;
};

/// What this process is busy with: the true values of the heartbeat (lessons.md 2.5).
class Workload {
 public:
  /// Marks one task as running until it goes out of scope.
  class Task {
   public:
    Task(Workload& workload, std::string description);
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    ~Task();

   private:
    Workload& workload_;
    std::list<std::string>::iterator at_;
  };

  /// Called after each begin and end of a task; must not throw.
  std::function<void()> on_change;

  Load load() const { return {.active_tasks = active_tasks(), .current_task = current_task()}; }
  int active_tasks() const { return static_cast<int>(tasks_.size()); }
  /// The task that has run longest, empty when idle.
  std::string current_task() const { return tasks_.empty() ? std::string() : tasks_.front(); }

 private:
  std::list<std::string> tasks_;
};

}  // namespace molecule::workspace

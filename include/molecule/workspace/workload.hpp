#pragma once

#include <list>
#include <string>

namespace molecule::workspace {

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

  int active_tasks() const { return static_cast<int>(tasks_.size()); }
  /// The task that has run longest, empty when idle.
  std::string current_task() const { return tasks_.empty() ? std::string() : tasks_.front(); }

 private:
  std::list<std::string> tasks_;
};

}  // namespace molecule::workspace

#pragma once

#include <list>
#include <string>

#include "base/async/event.hpp"

namespace molecule::workspace {

/// What one session is working on, or several together, as the heartbeat reports it.
struct Load {
  int active_tasks = 0;
  /// Empty when idle.
  std::string current_task = {};
  bool operator==(const Load&) const = default;
};

/// What this process is working on: the true values of the heartbeat (lessons.md 2.5).
class Workload {
 public:
  /// Marks one task as running until it goes out of scope.
  class Task {
   public:
    Task(Workload& workload, std::string description);
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    ~Task();
    /// What it is at now.
    void describe(std::string description);

   private:
    Workload& workload_;
    std::list<std::string>::iterator at_;
  };

  /// `changed` wakes after each begin and end of a task.
  explicit Workload(Event& changed) : changed_(changed) {}
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;

  Load load() const { return {.active_tasks = active_tasks(), .current_task = current_task()}; }
  int active_tasks() const { return static_cast<int>(tasks_.size()); }
  /// The task that has been running longest; empty when idle.
  std::string current_task() const { return tasks_.empty() ? std::string() : tasks_.front(); }

 private:
  Event& changed_;
  std::list<std::string> tasks_;
};

}  // namespace molecule::workspace

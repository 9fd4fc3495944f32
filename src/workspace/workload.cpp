#include "workspace/workload.hpp"

#include <utility>

namespace molecule::workspace {

Workload::Task::Task(Workload& workload, std::string description)
    : workload_(workload),
      at_(workload.tasks_.insert(workload.tasks_.end(), std::move(description))) {
  workload_.changed_.notify_all();
}

Workload::Task::~Task() {
  workload_.tasks_.erase(at_);
  workload_.changed_.notify_all();
}

void Workload::Task::describe(std::string description) {
  *at_ = std::move(description);
  workload_.changed_.notify_all();
}

}  // namespace molecule::workspace

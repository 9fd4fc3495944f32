#include "molecule/workspace/workload.hpp"

#include <utility>

namespace molecule::workspace {

Workload::Task::Task(Workload& workload, std::string description)
    : workload_(workload),
      at_(workload.tasks_.insert(workload.tasks_.end(), std::move(description))) {}

Workload::Task::~Task() {
  workload_.tasks_.erase(at_);
}

}  // namespace molecule::workspace

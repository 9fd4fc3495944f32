#include "workspace/workload.hpp"

#include <utility>

namespace molecule::workspace {

Workload::Task::Task(Workload& workload, std::string description)
    : workload_(workload),
      at_(workload.tasks_.insert(workload.tasks_.end(), std::move(description))) {
  if (workload_.on_change) workload_.on_change();
}

Workload::Task::~Task() {
  workload_.tasks_.erase(at_);
  if (workload_.on_change) workload_.on_change();
}

}  // namespace molecule::workspace

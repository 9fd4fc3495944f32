#include "tools/inbox/lease_renewal.hpp"

#include <chrono>

namespace molecule::tools {

namespace {

constexpr std::chrono::minutes renewal_interval{1};

awaitable<void> renew(Clock& clock, workspace::Workspaces& workspaces) {
  while (true) {
    co_await sleep_for(clock, renewal_interval);
    workspaces.prolong_leases();
  }
}

}  // namespace

LeaseRenewal::LeaseRenewal(Services& services)
    : tasks_(services.tasks),
      task_(tasks_.spawn("lease_renewal", renew(services.clock, services.workspaces))) {}

LeaseRenewal::~LeaseRenewal() {
  tasks_.cancel(task_);
}

}  // namespace molecule::tools

#include "tools/inbox/lease_renewal.hpp"

namespace molecule::tools {

namespace {

awaitable<void> renew(Services& services) {
  while (true) {
    co_await sleep_for(services.clock, services.config.timing.lease_renewal);
    services.workspaces.renew_leases();
  }
}

}  // namespace

LeaseRenewal::LeaseRenewal(Services& services)
    : tasks_(services.tasks), task_(tasks_.spawn("lease_renewal", renew(services))) {}

LeaseRenewal::~LeaseRenewal() {
  tasks_.cancel(task_);
}

}  // namespace molecule::tools

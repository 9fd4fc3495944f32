#pragma once

#include "tools/tools.hpp"

namespace molecule::tools {

/// Prolongs this session's leases every `Timing::lease_renewal` until the end of its scope: for
/// calls that may last as long as a lease, so that no other session is given the message that the
/// agent works on (molecule-mcp.md 5). Lives in the handler's frame.
class LeaseRenewal {
 public:
  explicit LeaseRenewal(Services& services);
  LeaseRenewal(const LeaseRenewal&) = delete;
  LeaseRenewal& operator=(const LeaseRenewal&) = delete;
  ~LeaseRenewal();

 private:
  TaskGroup& tasks_;
  TaskGroup::Id task_;
};

}  // namespace molecule::tools

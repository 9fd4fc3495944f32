#include "delegation_keys.hpp"

#include "molecule/base/random.hpp"

namespace molecule::tools {

std::string DelegationKeys::key_for(std::string_view peer, std::string_view task,
                                    Clock::time_point now) {
  recent_.remove_if([now](const Recent& r) { return now - r.since >= repeat_window; });
  for (const Recent& r : recent_) {
    if (r.peer == peer && r.task == task) return r.key;
  }
  recent_.push_back({std::string(peer), std::string(task), random_uuid(), now});
  return recent_.back().key;
}

}  // namespace molecule::tools

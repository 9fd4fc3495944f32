#include "delegation_keys.hpp"

#include <algorithm>

#include "molecule/base/random.hpp"

namespace molecule::tools {

namespace {

constexpr std::size_t longest_id = 200;

std::string new_key(std::string_view tool_use_id) {
  const bool plain = std::ranges::all_of(tool_use_id, [](char c) { return c > ' ' && c < '\x7f'; });
  if (tool_use_id.empty() || tool_use_id.size() > longest_id || !plain) return random_uuid();
  return "tool-use:" + std::string(tool_use_id);
}

}  // namespace

std::string DelegationKeys::key_for(std::string_view peer, std::string_view task,
                                    std::string_view tool_use_id, Clock::time_point now) {
  recent_.remove_if([now](const Recent& r) { return now - r.since >= repeat_window; });
  for (const Recent& r : recent_) {
    if (r.peer == peer && r.task == task) return r.key;
  }
  recent_.push_back({std::string(peer), std::string(task), new_key(tool_use_id), now});
  return recent_.back().key;
}

}  // namespace molecule::tools

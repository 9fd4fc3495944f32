#include "tools/sending/delegation_keys.hpp"

#include <fmt/format.h>

#include "base/uuid.hpp"

namespace molecule::tools {

namespace {

/// What distinguishes this call from a later one that delegates the same.
std::string occasion(std::string_view tool_use_id, std::chrono::system_clock::time_point wall,
                     std::chrono::seconds window) {
  if (!tool_use_id.empty()) return fmt::format("tool-use:{}", tool_use_id);
  return fmt::format("part:{}", wall.time_since_epoch() / window);
}

}  // namespace

std::string DelegationKeys::key_for(std::string_view source, std::string_view peer,
                                    std::string_view task, std::string_view tool_use_id) {
  const Clock::time_point now = clock_.now();
  recent_.remove_if(
      [now, window = repeat_window_](const Recent& r) { return now - r.since >= window; });
  for (const Recent& r : recent_) {
    if (r.source == source && r.peer == peer && r.task == task) return r.key;
  }
  std::string key = derived_uuid(occasion(tool_use_id, clock_.wall(), repeat_window_),
                                 fmt::format("{} {} {}", source, peer, task));
  recent_.push_back({.source = std::string(source),
                     .peer = std::string(peer),
                     .task = std::string(task),
                     .key = std::move(key),
                     .since = now});
  return recent_.back().key;
}

}  // namespace molecule::tools

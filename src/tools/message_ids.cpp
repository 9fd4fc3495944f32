#include "message_ids.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

#include "molecule/base/random.hpp"

namespace molecule::tools {

namespace {

/// FNV-1a, from any start. Nobody gains by a collision: what is hashed is this agent's own, and a
/// cryptographic library would double the program's start.
std::uint64_t hash(std::uint64_t state, std::string_view text) {
  for (const char c : text) {
    state ^= static_cast<unsigned char>(c);
    state *= 0x100000001B3U;
  }
  return state ^ (state >> 29U);
}

}  // namespace

std::string derived_uuid(std::string_view first, std::string_view second) {
  // The length before the first text: where it ends is part of what is hashed.
  const std::string input = fmt::format("{}:{}{}", first.size(), first, second);
  const std::uint64_t high = hash(0xCBF29CE484222325U, input);
  const std::uint64_t low = hash(hash(0x9E3779B97F4A7C15U, input), first);
  return fmt::format("{:08x}-{:04x}-8{:03x}-{:x}{:03x}-{:012x}", high >> 32U,
                     (high >> 16U) & 0xFFFFU, high & 0xFFFU, 8U | ((low >> 60U) & 3U),
                     (low >> 48U) & 0xFFFU, low & 0xFFFFFFFFFFFFU);
}

std::string MessageIds::id_for(std::string_view peer, std::string_view task,
                               std::string_view tool_use_id, Clock::time_point now) {
  lost_.remove_if([now](const Lost& lost) { return now - lost.since >= repeat_window; });
  for (auto lost = lost_.begin(); lost != lost_.end(); ++lost) {
    if (lost->peer != peer || lost->task != task) continue;
    std::string id = std::move(lost->id);
    lost_.erase(lost);
    return id;
  }
  if (tool_use_id.empty()) return random_uuid();
  return derived_uuid(tool_use_id, std::string(peer) + ' ' + std::string(task));
}

void MessageIds::lost(std::string peer, std::string task, std::string id, Clock::time_point now) {
  lost_.push_back({std::move(peer), std::move(task), std::move(id), now});
}

}  // namespace molecule::tools

#include "tools/inbox/message_ids.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/text/text.hpp"
#include "base/uuid.hpp"

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
  // The length of the first text comes first, so that its end is part of what is hashed.
  const std::string input = fmt::format("{}:{}{}", first.size(), first, second);
  const std::uint64_t high = hash(0xCBF29CE484222325U, input);
  const std::uint64_t low = hash(hash(0x9E3779B97F4A7C15U, input), first);
  return fmt::format("{:08x}-{:04x}-8{:03x}-{:x}{:03x}-{:012x}", high >> 32U,
                     (high >> 16U) & 0xFFFFU, high & 0xFFFU, 8U | ((low >> 60U) & 3U),
                     (low >> 48U) & 0xFFFU, low & 0xFFFFFFFFFFFFU);
}

std::string message_id(std::string_view given) {
  return read_uuid(given).value_or(std::string(text::trim(given)));
}

MessageIds::Attempt::Attempt(MessageIds& ids, std::string receiver, std::string content,
                             std::string_view tool_use_id)
    : ids_(ids) {
  const Clock::time_point now = ids.clock_.now();
  ids.lost_.remove_if(
      [now, window = ids.repeat_window_](const Sent& lost) { return now - lost.since >= window; });
  const auto lost = std::ranges::find_if(ids.lost_, [&receiver, &content](const Sent& one) {
    return one.receiver == receiver && one.content == content;
  });
  if (lost != ids.lost_.end()) {
    sent_.splice(sent_.end(), ids.lost_, lost);
    return;
  }
  std::string id =
      tool_use_id.empty() ? random_uuid() : derived_uuid(tool_use_id, receiver + ' ' + content);
  sent_.push_back({std::move(receiver), std::move(content), std::move(id), now});
}

MessageIds::Attempt::~Attempt() {
  if (taken_) return;
  sent_.front().since = ids_.clock_.now();
  ids_.lost_.splice(ids_.lost_.end(), sent_);
}

}  // namespace molecule::tools

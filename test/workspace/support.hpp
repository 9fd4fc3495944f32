#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "workspace/config/config.hpp"
#include "workspace/config/timing.hpp"
#include "workspace/store/inbox/inbox.hpp"

namespace molecule::test {

inline const workspace::Timing timing;

inline const std::string self_id = "11111111-2222-3333-4444-555555555555";
inline const std::string peer_id = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

/// A UUID that contains `number`.
inline std::string activity_id(int number) {
  std::string digits = std::to_string(number);
  return "00000000-0000-4000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

using Variables = std::map<std::string, std::string, std::less<>>;

inline workspace::Environment environment_of(Variables variables) {
  return [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

inline workspace::Message message(int number, std::string text = "hello") {
  workspace::Message m;
  m.activity_id = activity_id(number);
  m.text = std::move(text);
  m.kind = "canvas_user";
  m.method = "message/send";
  m.created_at = "2026-05-01T10:00:00Z";
  return m;
}

}  // namespace molecule::test

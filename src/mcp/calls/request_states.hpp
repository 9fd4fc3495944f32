#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace molecule::mcp {

/// Stores the state of requests that wait for input (2026-07-28, input required). The host gets a
/// random token for each, so it cannot forge a state. Holds the newest 256; a host that returns
/// with an older token must start over.
class RequestStates {
 public:
  /// Returns a token for `state`, valid only for the same `purpose` (method and name).
  std::string keep(std::string purpose, std::string state);
  /// The state behind `token`. Repeatable, because a host may retry its request.
  std::optional<std::string_view> open(std::string_view purpose, std::string_view token) const;

 private:
  struct Entry {
    std::string token;
    std::string purpose;
    std::string state;
  };
  std::deque<Entry> entries_;
};

}  // namespace molecule::mcp

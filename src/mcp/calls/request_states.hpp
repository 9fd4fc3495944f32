#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace molecule::mcp {

/// Keeps the states of requests that wait for input (2026-07-28, input required), and gives the
/// host a random token for each: what it sends back cannot have been changed. Holds the newest
/// 256; who comes back later than that begins again.
class RequestStates {
 public:
  /// The token for `state`, which opens only under the same `purpose` (a method and a name).
  std::string keep(std::string purpose, std::string state);
  /// May be opened again: a host may repeat its request.
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

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/report.hpp"
#include "platform/client.hpp"

namespace molecule::cli {

// How `doctor` interprets the platform's responses. It only makes requests that change nothing;
// they are listed at the functions that interpret them.

/// A response of the platform and its timing. Held in an optional that is empty if none arrived in
/// time.
template <class T>
struct Answer {
  platform::Outcome<T> outcome;
  std::chrono::milliseconds latency;
  /// This machine's clock when the response arrived.
  WallTime received;
};

/// `GET /health`: whether the platform is reachable at its URL, how fast it responds, and whether
/// its clock agrees with ours.
/// `is_platform`: without a health report, whether it knows of workspaces.
std::vector<Check> check_platform(const std::string& url,
                                  const std::optional<Answer<platform::Health>>& health,
                                  bool is_platform);

/// True if only a platform gives this outcome of `GET /workspaces/:id`.
bool knows_workspaces(const platform::Outcome<std::string>& info);

/// `GET /workspaces/:id` (public) and `GET /workspaces/:id/activity` with an unknown cursor:
/// whether the workspace exists, the organisation and token are right, and the platform supports
/// cursors. It proves support by rejecting the cursor with a 410.
std::vector<Check> check_workspace(const platform::Endpoint& endpoint,
                                   const std::string& token_source,
                                   const std::optional<Answer<std::string>>& info,
                                   const std::optional<Answer<platform::ActivityPage>>& page);

/// A cursor that no platform has issued.
inline constexpr const char* unknown_cursor = "00000000-0000-0000-0000-000000000000";

}  // namespace molecule::cli

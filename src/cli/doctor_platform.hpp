#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/report.hpp"
#include "platform/client.hpp"

namespace molecule::cli {

// What `doctor` makes of the platform's answers. Only requests that change nothing there are made:
// they are listed with the functions that read their answers.

/// An answer of the platform, and its timing. Nothing: no answer in time.
template <class T>
struct Answer {
  platform::Outcome<T> outcome;
  std::chrono::milliseconds latency;
  /// This machine's clock when the answer came.
  WallTime received;
};

/// `GET /health`: that the platform can be reached at its URL, how fast, and that its clock and
/// ours agree.
std::vector<Check> check_platform(const std::string& url,
                                  const std::optional<Answer<platform::Health>>& health);

/// `GET /workspaces/:id`, which is public, and `GET /workspaces/:id/activity` with a cursor that
/// does not exist: that the workspace exists, that organisation and token are right, and that the
/// platform supports cursors, which its 410 shows.
std::vector<Check> check_workspace(const platform::Endpoint& endpoint,
                                   const std::string& token_source,
                                   const std::optional<Answer<std::string>>& info,
                                   const std::optional<Answer<platform::ActivityPage>>& page);

/// The cursor to ask with.
inline constexpr const char* cursor_of_nothing = "00000000-0000-0000-0000-000000000000";

}  // namespace molecule::cli

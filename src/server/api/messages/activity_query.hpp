#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "server/api/context.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

/// What `GET /workspaces/:id/activity` asks for (platform-api.md 4.1 and 10), checked.
struct ActivityQuery {
  std::optional<std::string> type;
  /// Rows after this one, oldest first; without it newest first.
  std::optional<std::int64_t> after_seq;
  /// Not older than, strictly older than: microseconds.
  std::optional<std::int64_t> not_before;
  std::optional<std::int64_t> before;
  /// "canvas": rows without a source, "agent": rows with one.
  std::optional<std::string> source;
  std::optional<std::string> peer_id;
  bool peer_info = false;
  int limit = 100;
};

/// The failure is the reply: 400, or 410 for a `since_id` that is no row of this workspace (also
/// for one that is no UUID at all: every client starts over at a 410, few do at a 400).
Result<ActivityQuery, Reply> read_activity_query(Context& context, const Request& request,
                                                 std::string_view workspace_id);

}  // namespace molecule::server

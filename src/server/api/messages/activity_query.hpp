#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "server/api/context.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

/// The parameters of `GET /workspaces/:id/activity` (platform-api.md 4.1 and 10).
struct ActivityQuery {
  std::optional<std::string> type;
  /// The row to begin after, as the client spelled it. Views the request.
  std::optional<std::string_view> since_id;
  /// Rows after this one, oldest first. If it is empty: all rows, newest first.
  std::optional<std::int64_t> after_seq;
  /// Bounds of the rows' time in microseconds, `before` excluded.
  std::optional<std::int64_t> not_before;
  std::optional<std::int64_t> before;
  /// "canvas": rows without a source, "agent": rows with one.
  std::optional<std::string> source;
  std::optional<std::string> peer_id;
  bool peer_info = false;
  int limit = 100;
};

// Call in this order. Each returns a refusal, or empty.

/// `not_before` and `since_id`.
std::optional<Reply> read_start(Context& context, const Request& request, ActivityQuery& query);
/// Sets `after_seq` for a query with a `since_id`. The refusal is a 410 if it is not a row of this
/// workspace, even if it is not a UUID: every client starts over after a 410, few after a 400.
awaitable<std::optional<Reply>> find_cursor(Context& context, std::string_view workspace_id,
                                            ActivityQuery& query);
/// The remaining parameters.
std::optional<Reply> read_filters(const Request& request, ActivityQuery& query);

}  // namespace molecule::server

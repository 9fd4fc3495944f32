#include "server/api/messages/activity_query.hpp"

#include <algorithm>
#include <charconv>

#include "base/text/time.hpp"
#include "server/api/input.hpp"

namespace molecule::server {

namespace {

constexpr std::int64_t max_since_secs = 2'592'000;
constexpr int max_limit = 500;
constexpr int default_limit = 100;

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return number;
}

int read_limit(const Request& request) {
  const auto number = parse_integer(request.parameter("limit").value_or(""));
  if (!number || *number <= 0) return default_limit;
  return static_cast<int>(std::min<std::int64_t>(*number, max_limit));
}

/// An empty parameter counts as absent.
std::optional<std::string_view> given(const Request& request, std::string_view name) {
  const auto value = request.parameter(name);
  if (!value || value->empty()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Reply> read_start(Context& context, const Request& request, ActivityQuery& query) {
  query.since_id = given(request, "since_id");
  const auto since_secs = given(request, "since_secs");
  if (!since_secs) return std::nullopt;
  const auto seconds = parse_integer(*since_secs);
  if (!seconds || *seconds <= 0) {
    return error_reply(400, "since_secs must be a positive integer");
  }
  query.not_before =
      context.wall_micros() - std::min(*seconds, max_since_secs) * std::int64_t{1'000'000};
  return std::nullopt;
}

std::optional<Reply> read_filters(const Request& request, ActivityQuery& query) {
  if (const auto source = given(request, "source")) {
    if (*source != "canvas" && *source != "agent") {
      return error_reply(400, "source must be 'canvas' or 'agent'");
    }
    query.source = std::string(*source);
  }
  if (const auto peer = given(request, "peer_id")) {
    query.peer_id = parse_uuid(*peer);
    if (!query.peer_id) return error_reply(400, "peer_id must be a UUID");
  }
  if (const auto before = given(request, "before_ts")) {
    const auto time = parse_rfc3339(*before);
    if (!time) return error_reply(400, "before_ts must be an RFC3339 time");
    query.before = to_micros(*time);
  }
  if (const auto type = given(request, "type")) query.type = std::string(*type);
  query.peer_info = request.parameter("include") == "peer_info";
  query.limit = read_limit(request);
  return std::nullopt;
}

awaitable<std::optional<Reply>> find_cursor(Context& context, std::string_view workspace_id,
                                            ActivityQuery& query) {
  const auto id = parse_uuid(query.since_id.value_or(""));
  if (id) {
    store::Rows row = co_await context.store.query(
        "SELECT seq FROM activity WHERE id = $1 AND workspace_id = $2", *id, workspace_id);
    if (row.next()) query.after_seq = row.integer(0);
  }
  if (query.after_seq) co_return std::nullopt;
  co_return error_reply(410,
                        "since_id cursor not found (row may have been pruned or belongs to a "
                        "different workspace); omit since_id to reset");
}

}  // namespace molecule::server

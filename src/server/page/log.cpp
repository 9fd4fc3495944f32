#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "server/api/input.hpp"
#include "server/api/messages/activity_rows.hpp"
#include "server/page/page.hpp"

namespace molecule::server::page {

namespace {

/// As many as GET /events has.
constexpr int max_rows = 100;

/// Without the rows that no event told of, or that have events which are kept.
std::string log_query(bool of_one) {
  std::string sql =
      "SELECT id, created_at, workspace_id, activity_type, source_id, target_id, method, summary,"
      " request_body, response_body, duration_ms, status, error_detail, message_id FROM activity"
      " WHERE activity_type NOT IN ('delegation', 'memory_write_global', 'broadcast_sent')";
  sql += of_one ? " AND workspace_id = $2" : "";
  return sql + " ORDER BY seq DESC LIMIT $1";
}

Activity read_activity(const store::Row& row) {
  return {.workspace_id = row.string(2),
          .type = row.string(3),
          .source_id = row.optional_string(4),
          .target_id = row.optional_string(5),
          .method = row.optional_string(6),
          .summary = row.optional_string(7),
          .request_body = row.optional_string(8),
          .response_body = row.optional_string(9),
          .duration_ms = row.optional_integer(10),
          .status = row.string(11),
          .error_detail = row.optional_string(12),
          .message_id = row.optional_string(13)};
}

}  // namespace

awaitable<Reply> get_log(Context& context, Request request) {
  const std::string_view wanted = request.parameter("agent").value_or("");
  const auto agent = parse_uuid(wanted);
  if (!wanted.empty() && !agent) co_return error_reply(400, "agent must be a UUID");
  static const std::string of_all = log_query(false);
  static const std::string of_one = log_query(true);
  store::RowStream row = agent ? context.store.stream(of_one, max_rows, *agent)
                               : context.store.stream(of_all, max_rows);
  json::Writer writer;
  {
    auto list = writer.array();
    while (writer.text().size() < max_page_bytes) {
      const bool more = co_await row.next();
      if (!more) break;
      auto event = list.object();
      event.field("id", row.text(0));
      event.field("event_type", "ACTIVITY_LOGGED");
      event.field("workspace_id", row.text(2));
      event.raw("payload", activity_payload(read_activity(row)));
      event.field("created_at", format_rfc3339(from_micros(row.integer(1))));
    }
  }
  co_return json_reply(200, std::move(writer).take());
}

}  // namespace molecule::server::page

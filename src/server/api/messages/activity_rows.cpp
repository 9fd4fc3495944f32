#include "server/api/messages/activity_rows.hpp"

#include "base/json/writer.hpp"

namespace molecule::server {

namespace {

constexpr std::size_t max_broadcast_bytes = std::size_t{64} << 10;

void write_if_present(json::Object& out, std::string_view name,
                      const std::optional<std::string>& value) {
  if (value) out.field(name, *value);
}

void write_body(json::Object& out, std::string_view name, const std::optional<std::string>& body) {
  if (body && body->size() <= max_broadcast_bytes) out.raw(name, *body);
}

}  // namespace

awaitable<std::int64_t> insert_activity(Context& context, const Activity& row) {
  const std::string id = context.new_id();
  co_return co_await context.store.execute(
      "INSERT INTO activity(id, workspace_id, activity_type, source_id, target_id, method,"
      " summary, request_body, response_body, duration_ms, status, error_detail, message_id,"
      " idempotency_key, created_at, bytes)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
      " ON CONFLICT DO NOTHING",
      id, row.workspace_id, row.type, row.source_id, row.target_id, row.method, row.summary,
      row.request_body, row.response_body, row.duration_ms, row.status, row.error_detail,
      row.message_id, row.idempotency_key, context.now_micros(),
      static_cast<std::int64_t>(row_bytes(row)));
}

awaitable<bool> is_repeated(Context& context, const Activity& row) {
  if (!row.message_id) co_return false;
  store::Rows found = co_await context.store.query(
      "SELECT 1 FROM activity WHERE workspace_id = $1 AND activity_type = $2 AND message_id = $3"
      " AND source_id IS NOT DISTINCT FROM $4",
      row.workspace_id, row.type, *row.message_id, row.source_id);
  co_return found.next();
}

std::size_t row_bytes(const Activity& row) {
  constexpr std::size_t fixed = 200;
  std::size_t bytes = fixed;
  for (const auto& text : {&row.summary, &row.request_body, &row.response_body}) {
    if (*text) bytes += (*text)->size();
  }
  return bytes;
}

std::string activity_payload(const Activity& row) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("activity_type", row.type);
    out.field("status", row.status);
    write_if_present(out, "method", row.method);
    write_if_present(out, "summary", row.summary);
    out.nullable("source_id", row.source_id);
    out.nullable("target_id", row.target_id);
    out.nullable("duration_ms", row.duration_ms);
    write_if_present(out, "error_detail", row.error_detail);
    write_if_present(out, "message_id", row.message_id);
    write_body(out, "request_body", row.request_body);
    write_body(out, "response_body", row.response_body);
  }
  return std::move(writer).take();
}

void broadcast_activity(Context& context, const Activity& row) {
  if (!context.events.has_listeners()) return;
  context.events.broadcast("ACTIVITY_LOGGED", row.workspace_id, activity_payload(row));
}

}  // namespace molecule::server

// GET /workspaces/:id/mail/summary (platform-api.md 10.3): what waits for a workspace, and whom it
// waits for, without any message's text.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>

#include "base/json/writer.hpp"
#include "server/api/input.hpp"

namespace molecule::server {

namespace {

constexpr int max_listed = 50;
constexpr int max_overdue_listed = 10;
constexpr std::int64_t default_overdue_seconds = 6 * 3600;
constexpr std::int64_t max_overdue_seconds = std::int64_t{365} * 24 * 3600;
constexpr std::int64_t second = 1'000'000;

std::int64_t overdue_after(const Request& request) {
  const std::string_view text = request.parameter("overdue_after_seconds").value_or("");
  std::int64_t seconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool whole = failure == std::errc() && end == text.data() + text.size();
  return whole && seconds > 0 ? std::min(seconds, max_overdue_seconds) : default_overdue_seconds;
}

/// The inbox's rows above the acknowledged one: messages, and answers to delegations. The
/// workspace's own rows and announcements of files are neither.
awaitable<void> write_unread(Context& context, json::Object& out, std::string_view id,
                             std::int64_t acked) {
  store::Rows counts = co_await context.store.query(
      "SELECT count(CASE WHEN method != 'delegate_result' THEN 1 END),"
      " count(CASE WHEN method = 'delegate_result' THEN 1 END) FROM activity"
      " WHERE workspace_id = $1 AND activity_type = 'a2a_receive' AND seq > $2"
      " AND coalesce(method, '') NOT IN ('notify', 'chat_upload_receive')"
      " AND (source_id IS NULL OR source_id != $1 OR method = 'delegate_result')",
      id, acked);
  counts.next();
  out.field("received_unread", counts.integer(0));
  out.field("replies_unread", counts.integer(1));
  store::Rows row = co_await context.store.query(
      "SELECT id, seq, message_id, source_id, method FROM activity"
      " WHERE workspace_id = $1 AND activity_type = 'a2a_receive' AND seq > $2"
      " AND coalesce(method, '') NOT IN ('notify', 'chat_upload_receive')"
      " AND (source_id IS NULL OR source_id != $1 OR method = 'delegate_result')"
      " ORDER BY seq DESC LIMIT $3",
      id, acked, max_listed);
  auto list = out.array("received");
  while (row.next()) {
    auto item = list.object();
    item.field("id", row.text(0));
    item.field("seq", row.integer(1));
    item.nullable("message_id", row.optional_string(2));
    item.nullable("sender_id", row.optional_string(3));
    item.nullable("method", row.optional_string(4));
  }
}

awaitable<void> write_awaited(Context& context, json::Object& out, std::string_view id,
                              std::int64_t overdue_seconds) {
  const std::int64_t now = context.wall_micros();
  store::Rows counts = co_await context.store.query(
      "SELECT count(*), count(CASE WHEN created_at <= $2 THEN 1 END) FROM activity"
      " WHERE workspace_id = $1 AND activity_type = 'delegation' AND method = 'delegate'"
      " AND status IN ('pending', 'dispatched', 'queued', 'in_progress')",
      id, now - overdue_seconds * second);
  counts.next();
  out.field("sent_awaiting_reply", counts.integer(0));
  out.field("overdue_count", counts.integer(1));
  out.field("overdue_after_seconds", overdue_seconds);
  store::Rows row = co_await context.store.query(
      "SELECT message_id, target_id, created_at FROM activity"
      " WHERE workspace_id = $1 AND activity_type = 'delegation' AND method = 'delegate'"
      " AND status IN ('pending', 'dispatched', 'queued', 'in_progress') AND created_at <= $2"
      " ORDER BY seq LIMIT $3",
      id, now - overdue_seconds * second, max_overdue_listed);
  auto list = out.array("overdue");
  while (row.next()) {
    auto item = list.object();
    item.field("delegation_id", row.text(0));
    item.field("target_workspace_id", row.text(1));
    item.field("age_seconds", (now - row.integer(2)) / second);
  }
}

}  // namespace

awaitable<Reply> get_mail_summary(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  store::Rows acked = co_await context.store.query(
      "SELECT last_acked_seq FROM workspaces WHERE id = $1", workspace->id);
  acked.next();
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("mode", "acked_seq");
    co_await write_unread(context, out, workspace->id, acked.integer(0));
    co_await write_awaited(context, out, workspace->id, overdue_after(request));
  }
  co_return json_reply(200, std::move(writer).take());
}

}  // namespace molecule::server

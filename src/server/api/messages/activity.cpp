#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "server/api/input.hpp"
#include "server/api/limits/quotas.hpp"
#include "server/api/messages/activity_query.hpp"
#include "server/api/messages/activity_rows.hpp"
#include "server/api/messages/read_marks.hpp"
#include "server/api/workspaces/snippets.hpp"

namespace molecule::server {

namespace {

// The columns of page_query.
enum Column {
  id,
  workspace_id,
  activity_type,
  source_id,
  target_id,
  method,
  summary,
  duration_ms,
  status,
  error_detail,
  created_at,
  seq,
  request_body,
  response_body,
  tool_trace
};

std::string build_page_query(bool typed, bool forward) {
  std::string sql =
      "SELECT id, workspace_id, activity_type, source_id, target_id, method, summary,"
      " duration_ms, status, error_detail, created_at, seq, request_body, response_body,"
      " tool_trace FROM activity WHERE workspace_id = $1";
  if (typed) sql += " AND activity_type = $2";
  if (forward) sql += " AND seq > $3";
  sql +=
      " AND ($4 IS NULL OR created_at >= $4) AND ($5 IS NULL OR created_at < $5)"
      " AND ($6 IS NULL OR (source_id IS NULL) = ($6 = 'canvas'))"
      " AND ($7 IS NULL OR source_id = $7 OR target_id = $7) ORDER BY seq";
  sql += forward ? " ASC LIMIT $8" : " DESC LIMIT $8";
  return sql;
}

/// Two conditions are part of the SQL instead of parameters, so that the index can be used.
std::string_view page_query(const ActivityQuery& query) {
  static const std::array<std::string, 4> texts{
      build_page_query(false, false), build_page_query(false, true), build_page_query(true, false),
      build_page_query(true, true)};
  return texts.at((query.type ? 2U : 0U) + (query.after_seq ? 1U : 0U));
}

void write_raw_if_present(json::Object& out, std::string_view name, const store::Row& row,
                          int column) {
  if (!row.is_null(column)) out.raw(name, row.text(column));
}

void write_row(json::Object& out, const store::Row& row) {
  out.field("id", row.text(id));
  out.field("seq", row.integer(seq));
  out.field("workspace_id", row.text(workspace_id));
  out.field("activity_type", row.text(activity_type));
  out.nullable("source_id", row.optional_string(source_id));
  out.nullable("target_id", row.optional_string(target_id));
  out.nullable("method", row.optional_string(method));
  out.nullable("summary", row.optional_string(summary));
  out.nullable("duration_ms",
               row.is_null(duration_ms) ? std::optional<std::int64_t>() : row.integer(duration_ms));
  out.field("status", row.text(status));
  out.nullable("error_detail", row.optional_string(error_detail));
  out.field("created_at", format_rfc3339(from_micros(row.integer(created_at))));
  write_raw_if_present(out, "request_body", row, request_body);
  write_raw_if_present(out, "response_body", row, response_body);
  write_raw_if_present(out, "tool_trace", row, tool_trace);
}

/// The files of a message, if it has some.
void write_files(json::Object& row, std::string_view envelope) {
  json::Document document;
  const auto parsed = document.parse(envelope);
  if (!parsed) return;
  std::optional<json::Array> out;
  for (const json::Value part : parsed.value()["params"]["message"]["parts"].items()) {
    const json::Value file = part["file"];
    if (!file.is_object()) continue;
    if (!out) out.emplace(row.array("attachments"));
    auto attachment = out->object();
    attachment.field("kind", part["kind"].string_or("file"));
    attachment.field("uri", file["uri"].string_or(""));
    attachment.field("mime_type", file["mimeType"].string_or(""));
    attachment.field("name", file["name"].string_or(""));
  }
}

/// `include=peer_info` (platform-api.md 10): adds the other workspace of a row, and the row's
/// files.
awaitable<void> write_peer_info(Context& context, json::Object& out, const store::Row& row,
                                std::string base_url) {
  const std::string_view self = row.text(workspace_id);
  const std::string_view source = row.text(source_id);
  const std::string peer_id(source.empty() || source == self ? row.text(target_id) : source);
  const auto peer = co_await find_workspace(context, peer_id);
  if (peer && peer->id != self) {
    out.field("peer_name", peer->name);
    if (peer->role) out.field("peer_role", *peer->role);
    out.field("agent_card_url", base_url + "/registry/discover/" + peer->id);
  }
  write_files(out, row.text(request_body));
}

constexpr std::array<std::string_view, 7> reportable_types{
    "a2a_send",        "a2a_receive",  "task_update", "agent_log",
    "skill_promotion", "memory_write", "error"};

std::string unknown_type_text() {
  std::string text = "activity_type must be one of:";
  for (const std::string_view type : reportable_types) text.append(" ").append(type);
  return text;
}

std::optional<std::string> text_or_nothing(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return std::string(text);
}

/// The stored form of an optional body. Clears `storable` if it is nested too deeply.
std::optional<std::string> read_json(json::Value value, bool& storable) {
  if (!value.present()) return std::nullopt;
  std::optional<std::string> text = storable_json(value);
  storable = storable && text.has_value();
  return text;
}

/// True for an agent's poll, as opposed to a look at an older part or at somebody's messages.
bool reads_inbox(const Request& request, const ActivityQuery& asked) {
  const bool inbox = !asked.type || *asked.type == "a2a_receive";
  return inbox && !asked.peer_id && !asked.before && request.caller.workspace().has_value();
}

/// What a poller asks to follow after, it has: that no longer counts as waiting.
void note_fetched(Services& services, const std::string& workspace_id, const ActivityQuery& asked) {
  if (!asked.after_seq || (asked.type && *asked.type != "a2a_receive")) return;
  std::int64_t& fetched = services.fetched[workspace_id];
  if (*asked.after_seq <= fetched) return;
  fetched = *asked.after_seq;
  services.events.instances().tell(Instances::Subject::fetched,
                                   fmt::format("{} {}", workspace_id, fetched));
}

}  // namespace

awaitable<Reply> get_activity(Context& context, Request request) {
  const auto acting = path_workspace(request);
  if (!acting) co_return acting.error();
  ActivityQuery asked;
  if (auto refusal = read_start(context, request, asked)) co_return *std::move(refusal);
  if (asked.since_id) {
    auto refusal = co_await find_cursor(context, *acting, asked);
    if (refusal) co_return *std::move(refusal);
  }
  if (auto refusal = read_filters(request, asked)) co_return *std::move(refusal);
  if (request.caller.workspace()) note_fetched(context.services, *acting, asked);
  store::RowStream found = context.store.stream(page_query(asked), *acting, asked.type,
                                                asked.after_seq, asked.not_before, asked.before,
                                                asked.source, asked.peer_id, asked.limit);
  const std::string base_url = public_url(context.services.base_url, request);
  std::int64_t newest = 0;
  json::Writer writer;
  {
    auto rows = writer.array();
    while (writer.text().size() < max_page_bytes) {
      const bool more = co_await found.next();
      if (!more) break;
      newest = std::max(newest, found.integer(seq));
      auto row = rows.object();
      write_row(row, found);
      if (asked.peer_info) co_await write_peer_info(context, row, found, base_url);
    }
  }
  if (reads_inbox(request, asked)) co_await note_handed_out(context, *acting, newest);
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> post_activity(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  Body body(request.body);
  Activity row;
  row.workspace_id = workspace->id;
  row.type = body.text("activity_type");
  row.method = text_or_nothing(body.text("method"));
  row.summary = text_or_nothing(body.text("summary"));
  const std::string_view target = body.text("target_id");
  const std::string_view source = body.text("source_id");
  if (const auto given = body.text("status"); !given.empty()) row.status = given;
  row.error_detail = text_or_nothing(body.text("error_detail"));
  row.duration_ms = body.integer("duration_ms");
  if (!body.ok()) co_return error_reply(400, "invalid request body");

  bool storable = true;
  const json::Value request_json = body.any("request_body");
  row.request_body =
      read_json(request_json.present() ? request_json : body.any("metadata"), storable);
  row.response_body = read_json(body.any("response_body"), storable);
  if (!storable) co_return error_reply(400, "invalid request body: nested too deeply");
  if (std::ranges::find(reportable_types, row.type) == reportable_types.end()) {
    co_return error_reply(400, unknown_type_text());
  }
  if (!source.empty() && parse_uuid(source) != workspace->id) {
    co_return error_reply(403, "source_id must match authenticated workspace");
  }
  row.source_id = workspace->id;
  if (!target.empty()) {
    row.target_id = parse_uuid(target);
    if (!row.target_id) co_return error_reply(400, "target_id must be a valid UUID");
  }
  auto full = co_await refuse_row(context, workspace->id, workspace->id, row_bytes(row));
  if (full) co_return *std::move(full);
  co_await insert_activity(context, row);
  broadcast_activity(context, row);
  co_return json_reply(200, R"({"status":"logged"})");
}

awaitable<Reply> post_ack(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  Body body(request.body);
  const auto acked = body.integer("acked_seq");
  if (!body.ok() || !acked || *acked < 0) {
    co_return error_reply(400, "acked_seq must be a non-negative integer");
  }
  store::Rows row = co_await context.store.query(
      "SELECT last_acked_seq FROM workspaces WHERE id = $1", workspace->id);
  const std::int64_t before = row.next() ? row.integer(0) : 0;
  store::Rows updated = co_await context.store.query(
      "UPDATE workspaces SET last_acked_seq ="
      " CASE WHEN last_acked_seq < $2 THEN $2 ELSE last_acked_seq END WHERE id = $1"
      " RETURNING last_acked_seq",
      workspace->id, *acked);
  updated.next();
  const std::int64_t handled = updated.integer(0);
  if (handled > before) {
    json::Writer payload;
    payload.object().field("seq", handled);
    context.events.broadcast("MESSAGE_HANDLED", workspace->id, std::move(payload).take());
  }
  json::Writer writer;
  writer.object().field("last_acked_seq", handled);
  co_return json_reply(200, std::move(writer).take());
}

}  // namespace molecule::server

#include <algorithm>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "base/text/time.hpp"
#include "server/api/input.hpp"
#include "server/api/limits/quotas.hpp"

namespace molecule::server {

namespace {

/// A list of keys and values ends after this many bytes, but holds at least one.
constexpr std::size_t max_list_bytes = std::size_t{16} << 20;

constexpr std::int64_t max_ttl_seconds = std::int64_t{100} * 365 * 24 * 3600;

// The order of the columns in the queries below.
void write_entry(json::Object out, const store::Row& row) {
  out.field("key", row.text(0));
  out.raw("value", row.text(1));
  out.field("version", row.integer(2));
  if (!row.is_null(3)) out.field("expires_at", format_rfc3339(from_micros(row.integer(3))));
  out.field("updated_at", format_rfc3339(from_micros(row.integer(4))));
}

/// The version of a key that has not expired.
awaitable<std::optional<std::int64_t>> current_version(Context& context,
                                                       std::string_view workspace_id,
                                                       std::string_view key) {
  store::Rows row = co_await context.store.query(
      "SELECT version FROM workspace_memory"
      " WHERE workspace_id = $1 AND key = $2 AND (expires_at IS NULL OR expires_at > $3)",
      workspace_id, key, context.wall_micros());
  if (!row.next()) co_return std::nullopt;
  co_return row.integer(0);
}

Reply version_conflict(std::int64_t expected, const std::optional<std::int64_t>& current) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("error", current ? "if_match_version mismatch"
                               : "if_match_version mismatch: key does not exist");
    out.field("expected_version", expected);
    out.nullable("current_version", current);
  }
  return json_reply(409, std::move(writer).take());
}

/// Deletes expired keys first. The key being written stays even if it has expired, so that its
/// versions never repeat.
awaitable<std::optional<Reply>> refuse_entry(Context& context, std::string_view workspace_id,
                                             std::string_view key, std::size_t value_bytes) {
  co_await context.store.execute(
      "DELETE FROM workspace_memory WHERE workspace_id = $1 AND key != $2"
      " AND expires_at <= $3",
      workspace_id, key, context.wall_micros());
  store::Rows row = co_await context.store.query(
      "SELECT value FROM workspace_memory WHERE workspace_id = $1 AND key = $2", workspace_id, key);
  auto growth = static_cast<std::int64_t>(value_bytes);
  growth += row.next() ? -static_cast<std::int64_t>(row.text(0).size())
                       : static_cast<std::int64_t>(key.size());
  if (growth <= 0) co_return std::nullopt;
  co_return co_await refuse_keys(context, workspace_id, growth);
}

awaitable<std::int64_t> store_entry(Context& context, std::string_view workspace_id,
                                    std::string_view key, std::string_view value,
                                    std::optional<std::int64_t> expires_at) {
  store::Rows row = co_await context.store.query(
      "INSERT INTO workspace_memory(workspace_id, key, value, expires_at, updated_at)"
      " VALUES ($1, $2, $3, $4, $5) ON CONFLICT(workspace_id, key) DO UPDATE SET"
      " value = excluded.value, expires_at = excluded.expires_at,"
      " updated_at = excluded.updated_at, version = workspace_memory.version + 1 RETURNING version",
      workspace_id, key, value, expires_at, context.now_micros());
  row.next();
  co_return row.integer(0);
}

}  // namespace

awaitable<Reply> get_entries(Context& context, Request request) {
  const auto workspace = path_workspace(request);
  if (!workspace) co_return workspace.error();
  store::RowStream row = context.store.stream(
      "SELECT key, value, version, expires_at, updated_at FROM workspace_memory"
      " WHERE workspace_id = $1 AND (expires_at IS NULL OR expires_at > $2) AND key > $3"
      " ORDER BY key",
      *workspace, context.wall_micros(), request.parameter("after").value_or(""));
  json::Writer writer;
  std::string last;
  bool more = true;
  {
    auto list = writer.array();
    while (writer.text().size() < max_list_bytes && more) {
      more = co_await row.next();
      if (!more) break;
      last = row.text(0);
      write_entry(list.object(), row);
    }
  }
  if (more) more = co_await row.next();
  Reply reply = json_reply(200, std::move(writer).take());
  // The reply is a bare list: what is left has to be said beside it.
  if (more) reply.headers.emplace_back("X-Next-After", text::percent_encode(last));
  co_return reply;
}

awaitable<Reply> get_entry(Context& context, Request request) {
  const auto workspace = path_workspace(request);
  if (!workspace) co_return workspace.error();
  store::Rows row = co_await context.store.query(
      "SELECT key, value, version, expires_at, updated_at FROM workspace_memory"
      " WHERE workspace_id = $1 AND key = $2 AND (expires_at IS NULL OR expires_at > $3)",
      *workspace, request.args.at(1), context.wall_micros());
  if (!row.next()) co_return error_reply(404, "key not found");
  json::Writer writer;
  write_entry(writer.object(), row);
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> post_entry(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  Body body(request.body);
  const std::string_view key = body.text("key");
  const auto ttl_seconds = body.integer("ttl_seconds");
  const auto expected = body.integer("if_match_version");
  if (!body.ok()) co_return error_reply(400, "invalid request body");
  if (key.empty()) co_return error_reply(400, "key is required");
  const json::Value value = body.member("value");
  if (!value.present()) co_return error_reply(400, "value is required");
  const auto stored = storable_json(value);
  if (!stored) co_return error_reply(400, "invalid request body: nested too deeply");

  const auto current = co_await current_version(context, workspace->id, key);
  if (expected && *expected != current.value_or(0)) co_return version_conflict(*expected, current);
  auto full = co_await refuse_entry(context, workspace->id, key, stored->size());
  if (full) co_return *std::move(full);
  std::optional<std::int64_t> expires_at;
  if (ttl_seconds) {
    const std::int64_t seconds = std::clamp(*ttl_seconds, -max_ttl_seconds, max_ttl_seconds);
    expires_at = context.wall_micros() + seconds * 1'000'000;
  }
  const std::int64_t version =
      co_await store_entry(context, workspace->id, key, *stored, expires_at);
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("status", "ok");
    out.field("key", key);
    out.field("version", version);
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> delete_entry(Context& context, Request request) {
  const auto workspace = path_workspace(request);
  if (!workspace) co_return workspace.error();
  co_await context.store.execute(
      "DELETE FROM workspace_memory WHERE workspace_id = $1 AND key = $2", *workspace,
      request.args.at(1));
  co_return json_reply(200, R"({"status":"deleted"})");
}

}  // namespace molecule::server

#include "server/api/memory/key_value.hpp"

#include <algorithm>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "server/api/input.hpp"

namespace molecule::server {

namespace {

/// What one workspace may keep, so that a list of it all stays a reply of reasonable size.
constexpr std::int64_t most_bytes = std::int64_t{16} << 20;
constexpr std::int64_t longest_ttl_seconds = std::int64_t{100} * 365 * 24 * 3600;

// The order of the columns in the queries below.
void write_entry(json::Object out, const sqlite::Statement& row) {
  out.field("key", row.text(0));
  out.raw("value", row.text(1));
  out.field("version", row.integer(2));
  if (!row.is_null(3)) out.field("expires_at", format_rfc3339(from_micros(row.integer(3))));
  out.field("updated_at", format_rfc3339(from_micros(row.integer(4))));
}

Reply get_entries(Context& context, const Request& request) {
  const auto workspace = acting_workspace(context, request);
  if (!workspace) return workspace.error();
  auto row = context.database.prepare(
      "SELECT key, value, version, expires_at, updated_at FROM workspace_memory"
      " WHERE workspace_id = ?1 AND (expires_at IS NULL OR expires_at > ?2) ORDER BY key");
  row.bind(*workspace, to_micros(context.clock.wall()));
  json::Writer writer;
  {
    auto list = writer.array();
    while (row.step()) write_entry(list.object(), row);
  }
  return json_reply(200, std::move(writer).take());
}

Reply get_entry(Context& context, const Request& request) {
  const auto workspace = acting_workspace(context, request);
  if (!workspace) return workspace.error();
  auto row = context.database.prepare(
      "SELECT key, value, version, expires_at, updated_at FROM workspace_memory"
      " WHERE workspace_id = ?1 AND key = ?2 AND (expires_at IS NULL OR expires_at > ?3)");
  row.bind(*workspace, request.args.at(1), to_micros(context.clock.wall()));
  if (!row.step()) return error_reply(404, "key not found");
  json::Writer writer;
  write_entry(writer.object(), row);
  return json_reply(200, std::move(writer).take());
}

/// The version of a key that has not expired.
std::optional<std::int64_t> current_version(Context& context, std::string_view workspace_id,
                                            std::string_view key) {
  auto row = context.database.prepare(
      "SELECT version FROM workspace_memory"
      " WHERE workspace_id = ?1 AND key = ?2 AND (expires_at IS NULL OR expires_at > ?3)");
  row.bind(workspace_id, key, to_micros(context.clock.wall()));
  if (!row.step()) return std::nullopt;
  return row.integer(0);
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

/// What has expired makes room first; the key that is being written does not count, and keeps its
/// version even then, so that no version comes twice.
bool has_room(Context& context, std::string_view workspace_id, std::string_view key,
              std::size_t wanted) {
  context.database
      .prepare(
          "DELETE FROM workspace_memory WHERE workspace_id = ?1 AND key != ?2"
          " AND expires_at <= ?3")
      .bind(workspace_id, key, to_micros(context.clock.wall()))
      .run();
  auto row = context.database.prepare(
      "SELECT coalesce(sum(length(CAST(key AS BLOB)) + length(CAST(value AS BLOB))), 0)"
      " FROM workspace_memory WHERE workspace_id = ?1 AND key != ?2");
  row.bind(workspace_id, key);
  row.step();
  return row.integer(0) + static_cast<std::int64_t>(wanted) <= most_bytes;
}

std::int64_t store_entry(Context& context, std::string_view workspace_id, std::string_view key,
                         std::string_view value, std::optional<std::int64_t> expires_at) {
  auto row = context.database.prepare(
      "INSERT INTO workspace_memory(workspace_id, key, value, expires_at, updated_at)"
      " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT(workspace_id, key) DO UPDATE SET"
      " value = excluded.value, expires_at = excluded.expires_at,"
      " updated_at = excluded.updated_at, version = version + 1 RETURNING version");
  row.bind(workspace_id, key, value, expires_at, now_micros(context));
  row.step();
  const std::int64_t version = row.integer(0);
  row.run();
  return version;
}

Reply post_entry(Context& context, const Request& request) {
  const auto workspace = existing_workspace(context, request);
  if (!workspace) return workspace.error();
  Body body(request.body);
  const std::string_view key = body.text("key");
  const auto ttl_seconds = body.integer("ttl_seconds");
  const auto expected = body.integer("if_match_version");
  if (!body.ok()) return error_reply(400, "invalid request body");
  if (key.empty()) return error_reply(400, "key is required");
  const json::Value value = body.member("value");
  if (!value.present()) return error_reply(400, "value is required");
  const auto stored = storable_json(value);
  if (!stored) return error_reply(400, "invalid request body: nested too deeply");

  const auto current = current_version(context, workspace->id, key);
  if (expected && *expected != current.value_or(0)) return version_conflict(*expected, current);
  if (!has_room(context, workspace->id, key, key.size() + stored->size())) {
    return error_reply(413, "the workspace's memory is full (16 MiB): delete keys first");
  }
  std::optional<std::int64_t> expires_at;
  if (ttl_seconds) {
    const std::int64_t seconds =
        std::clamp(*ttl_seconds, -longest_ttl_seconds, longest_ttl_seconds);
    expires_at = to_micros(context.clock.wall()) + seconds * 1'000'000;
  }
  const std::int64_t version = store_entry(context, workspace->id, key, *stored, expires_at);
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("status", "ok");
    out.field("key", key);
    out.field("version", version);
  }
  return json_reply(200, std::move(writer).take());
}

Reply delete_entry(Context& context, const Request& request) {
  const auto workspace = acting_workspace(context, request);
  if (!workspace) return workspace.error();
  context.database.prepare("DELETE FROM workspace_memory WHERE workspace_id = ?1 AND key = ?2")
      .bind(*workspace, request.args.at(1))
      .run();
  return json_reply(200, R"({"status":"deleted"})");
}

}  // namespace

std::vector<Route> key_value_routes() {
  return {{"GET", "/workspaces/:id/memory", get_entries},
          {"GET", "/workspaces/:id/memory/:key", get_entry},
          {"POST", "/workspaces/:id/memory", post_entry},
          {"DELETE", "/workspaces/:id/memory/:key", delete_entry}};
}

}  // namespace molecule::server

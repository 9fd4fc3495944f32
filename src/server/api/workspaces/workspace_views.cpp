#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "server/api/input.hpp"

namespace molecule::server {

namespace {

/// For the admin, or for anyone who knows the id (platform-api.md 2.3): without private fields.
enum class View { admin, anyone };

/// The columns that `write_workspace` reads.
constexpr const char* columns =
    "SELECT id, name, role, tier, status, url, parent_id, active_tasks, max_concurrent_tasks,"
    " last_error_rate, last_sample_error, uptime_seconds, current_task, runtime, workspace_dir,"
    " monthly_spend, budget_limit, x, y, collapsed, agent_card, last_outbound_at, removed_at,"
    " last_heartbeat_at, broadcast_enabled, talk_to_user_enabled, can_delegate, loaded_mcp_tools,"
    " mcp_server_present FROM workspaces";

/// A time, or null for 0.
void write_time(json::Object& item, std::string_view name, std::int64_t micros) {
  if (micros == 0) {
    item.field(name, nullptr);
  } else {
    item.field(name, format_rfc3339(from_micros(micros)));
  }
}

/// Tasks are open, but nothing has been heard of it for so long that it must be stuck.
bool is_wedged(const store::Row& row, std::int64_t heartbeat, std::int64_t now) {
  constexpr std::int64_t limit = std::chrono::microseconds(std::chrono::minutes(5)).count();
  const std::int64_t heard = std::max(row.integer(21), heartbeat);
  return row.integer(7) > 0 && now - heard > limit;
}

/// What later versions of the hosted platform added (platform-api.md 10.5).
void write_additions(json::Object& item, const store::Row& row, std::int64_t heartbeat,
                     std::int64_t now) {
  item.field("kind", "workspace");
  item.field("broadcast_enabled", row.boolean(24));
  item.field("talk_to_user_enabled", row.boolean(25));
  item.field("can_delegate", row.boolean(26));
  item.raw("loaded_mcp_tools", row.text(27));
  item.object("mcp_surface").field("mcp_server_present", row.boolean(28));
  item.object("compute");
  item.field("last_sample_error", row.text(10));
  write_time(item, "last_heartbeat_at", heartbeat);
  item.field("wedged", is_wedged(row, heartbeat, now));
}

void write_workspace(json::Object& item, const store::Row& row, View view, Context& context) {
  const Presence::Heard heard = context.services.presence.last(
      row.text(0), {.at = row.integer(23), .uptime_seconds = row.integer(11)});
  item.field("id", row.text(0));
  item.field("name", row.text(1));
  item.nullable("role", row.optional_string(2));
  item.field("tier", row.integer(3));
  item.field("status", row.text(4));
  item.field("url", row.text(5));
  item.nullable("parent_id", row.optional_string(6));
  item.field("active_tasks", row.integer(7));
  item.field("max_concurrent_tasks", row.integer(8));
  item.field("last_error_rate", row.number(9));
  item.field("uptime_seconds", heard.uptime_seconds);
  item.field("runtime", row.text(13));
  item.field("x", row.number(17));
  item.field("y", row.number(18));
  item.field("collapsed", row.boolean(19));
  item.raw("agent_card", row.is_null(20) ? "null" : row.text(20));
  write_additions(item, row, heard.at, context.wall_micros());
  if (view == View::anyone) return;
  item.field("current_task", row.text(12));
  item.nullable("workspace_dir", row.optional_string(14));
  item.field("monthly_spend", row.integer(15));
  item.nullable("budget_limit", row.optional_integer(16));
}

Reply removed_reply(const store::Row& row) {
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("error", "workspace removed");
    reply.field("id", row.text(0));
    write_time(reply, "removed_at", row.integer(22));
    reply.field("hint", "Regenerate workspace + token from the canvas → Tokens tab");
  }
  return json_reply(410, std::move(writer).take());
}

}  // namespace

awaitable<Reply> list_workspaces(Context& context, Request) {
  static const std::string sql =
      std::string(columns) + " WHERE status != 'removed' ORDER BY created_at, id";
  store::RowStream row = context.store.stream(sql);
  json::Writer writer;
  {
    auto list = writer.array();
    while (true) {
      const bool more = co_await row.next();
      if (!more) break;
      auto item = list.object();
      write_workspace(item, row, View::admin, context);
    }
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> get_workspace(Context& context, Request request) {
  const std::optional<std::string> id = parse_uuid(request.args.at(0));
  if (!id) co_return error_reply(400, "invalid workspace ID");
  static const std::string sql = std::string(columns) + " WHERE id = $1";
  store::Rows row = co_await context.store.query(sql, *id);
  if (!row.next()) co_return error_reply(404, "workspace not found");
  const bool removed = row.text(4) == "removed";
  if (removed && request.parameter("include_removed") != "true") co_return removed_reply(row);
  json::Writer writer;
  {
    auto item = writer.object();
    write_workspace(item, row, View::anyone, context);
    write_time(item, "last_outbound_at", row.integer(21));
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> get_state(Context& context, Request request) {
  const Result<std::string, Reply> id = path_workspace(request);
  if (!id) co_return id.error();
  const std::optional<WorkspaceRow> found = co_await find_workspace(context, *id);
  const bool removed = found && found->status == "removed";
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("workspace_id", *id);
    if (found) reply.field("status", found->status);
    if (found && !removed) reply.field("paused", found->status == "paused");
    reply.field("deleted", !found || removed);
  }
  co_return json_reply(found && !removed ? 200 : 404, std::move(writer).take());
}

}  // namespace molecule::server

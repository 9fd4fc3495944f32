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
    " monthly_spend, budget_limit, x, y, collapsed, agent_card, last_outbound_at, removed_at"
    " FROM workspaces";

void write_workspace(json::Object& item, const store::Row& row, View view) {
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
  item.field("uptime_seconds", row.integer(11));
  item.field("runtime", row.text(13));
  item.field("x", row.number(17));
  item.field("y", row.number(18));
  item.field("collapsed", row.boolean(19));
  item.raw("agent_card", row.is_null(20) ? "null" : row.text(20));
  if (view == View::anyone) return;
  item.field("last_sample_error", row.text(10));
  item.field("current_task", row.text(12));
  item.nullable("workspace_dir", row.optional_string(14));
  item.field("monthly_spend", row.integer(15));
  item.nullable("budget_limit", row.optional_integer(16));
}

/// A time column's value, or null.
void write_time(json::Object& item, std::string_view name, const store::Row& row, int column) {
  if (row.is_null(column)) {
    item.field(name, nullptr);
  } else {
    item.field(name, format_rfc3339(from_micros(row.integer(column))));
  }
}

Reply removed_reply(const store::Row& row) {
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("error", "workspace removed");
    reply.field("id", row.text(0));
    write_time(reply, "removed_at", row, 22);
    reply.field("hint", "Regenerate workspace + token from the canvas → Tokens tab");
  }
  return json_reply(410, std::move(writer).take());
}

Reply budget_reply(const WorkspaceRow& workspace) {
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.nullable("budget_limit", workspace.budget_limit);
    reply.field("monthly_spend", workspace.monthly_spend);
    std::optional<std::int64_t> remaining;
    if (workspace.budget_limit) remaining = *workspace.budget_limit - workspace.monthly_spend;
    reply.nullable("budget_remaining", remaining);
  }
  return json_reply(200, std::move(writer).take());
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
      write_workspace(item, row, View::admin);
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
    write_workspace(item, row, View::anyone);
    write_time(item, "last_outbound_at", row, 21);
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

awaitable<Reply> get_budget(Context& context, Request request) {
  const Result<WorkspaceRow, Reply> workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  co_return budget_reply(*workspace);
}

awaitable<Reply> set_budget(Context& context, Request request) {
  Body body(request.body);
  const std::optional<std::int64_t> limit = body.integer("budget_limit");
  if (!body.ok() || !body.has("budget_limit") || limit.value_or(0) < 0) {
    co_return error_reply(400, "budget_limit must be a whole number of cents, or null");
  }
  const Result<WorkspaceRow, Reply> workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  co_await context.store.execute(
      "UPDATE workspaces SET budget_limit = $2, updated_at = $3 WHERE id = $1", workspace->id,
      limit, context.now_micros());
  WorkspaceRow changed = *workspace;
  changed.budget_limit = limit;
  co_return budget_reply(changed);
}

}  // namespace molecule::server

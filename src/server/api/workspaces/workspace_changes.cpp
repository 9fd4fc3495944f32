#include <optional>
#include <string>
#include <vector>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "server/access/tokens.hpp"
#include "server/api/input.hpp"
#include "server/api/workspaces/workspace_fields.hpp"

namespace molecule::server {

namespace {

/// The members of a PATCH that were sent: absent ones stay as they are.
struct Change {
  std::optional<std::string> name;
  std::optional<std::string> role;
  std::optional<std::int64_t> tier;
  std::optional<bool> collapsed;
  std::optional<std::string> runtime;
  std::optional<double> x;
  std::optional<double> y;
  bool has_parent = false;
  std::optional<std::string> parent_id;
  bool has_dir = false;
  std::optional<std::string> workspace_dir;
};

std::optional<std::string> sent_text(Body& body, std::string_view name) {
  if (!body.any(name).present()) return std::nullopt;
  return std::string(body.text(name));
}

Result<Change, Reply> read_change(const Request& request) {
  Body body(request.body);
  Change change{.name = sent_text(body, "name"),
                .role = sent_text(body, "role"),
                .tier = body.integer("tier"),
                .collapsed = body.boolean("collapsed"),
                .runtime = sent_text(body, "runtime"),
                .x = body.number("x"),
                .y = body.number("y"),
                .has_parent = body.has("parent_id"),
                .parent_id = std::nullopt,
                .has_dir = body.has("workspace_dir"),
                .workspace_dir = sent_text(body, "workspace_dir")};
  const std::string parent(body.text("parent_id"));
  if (!body.ok()) return Failure{error_reply(400, "invalid request body")};
  if (change.name && (change.name->empty() || !is_label(*change.name, max_name_bytes))) {
    return Failure{error_reply(400, "name is empty, too long, or has forbidden characters")};
  }
  if (change.role && !is_label(*change.role, max_role_bytes)) {
    return Failure{error_reply(400, "role is too long, or has forbidden characters")};
  }
  if (change.runtime && (change.runtime->empty() || !is_line(*change.runtime, max_runtime_bytes))) {
    return Failure{error_reply(400, "runtime is empty, too long, or not on one line")};
  }
  if (change.workspace_dir && !is_workspace_dir(*change.workspace_dir)) {
    return Failure{error_reply(400, "invalid workspace directory")};
  }
  if (!parent.empty()) {
    change.parent_id = parse_uuid(parent);
    if (!change.parent_id) return Failure{error_reply(400, "parent_id must be a UUID")};
  }
  return change;
}

struct Child {
  std::string id;
  std::string name;
};

awaitable<std::vector<Child>> find_children(Context& context, const std::string& id) {
  store::Rows row = co_await context.store.query(
      "SELECT id, name FROM workspaces WHERE parent_id = $1 AND status != 'removed'"
      " ORDER BY created_at, id",
      id);
  std::vector<Child> children;
  while (row.next()) children.push_back({.id = row.string(0), .name = row.string(1)});
  co_return children;
}

/// All descendants, whatever their status, the deepest first.
awaitable<std::vector<std::string>> find_below(Context& context, const std::string& id) {
  store::Rows row = co_await context.store.query(
      "WITH RECURSIVE below(id, depth) AS ("
      "  SELECT id, 0 FROM workspaces WHERE id = $1"
      "  UNION ALL SELECT w.id, b.depth + 1 FROM workspaces w JOIN below b ON w.parent_id = b.id)"
      " SELECT id FROM below WHERE id != $1 ORDER BY depth DESC",
      id);
  std::vector<std::string> below;
  while (row.next()) below.push_back(row.string(0));
  co_return below;
}

Reply confirmation(const std::vector<Child>& children) {
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("status", "confirmation_required");
    reply.field("message",
                "this workspace has children, which would be removed with it: repeat with "
                "?confirm=true");
    {
      auto list = reply.array("children");
      for (const Child& child : children) {
        auto item = list.object();
        item.field("id", child.id);
        item.field("name", child.name);
      }
    }
    reply.field("children_count", children.size());
  }
  return json_reply(409, std::move(writer).take());
}

/// platform-api.md 10.5. A purge also finds what was removed before.
std::optional<Reply> delete_refusal(const Request& request, const std::optional<WorkspaceRow>& row,
                                    bool purge) {
  if (!row) return error_reply(404, "workspace not found");
  if (row->status == "removed" && !purge) return error_reply(410, "workspace already removed");
  const auto name = request.header("X-Confirm-Name");
  if (!name || *name == row->name || text::percent_decode(*name) == row->name) return std::nullopt;
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("error", "X-Confirm-Name does not match the workspace name");
    reply.field("hint", "send the exact name, percent-encoded if it is not ASCII");
  }
  return json_reply(400, std::move(writer).take());
}

/// Returns false if it was removed before.
awaitable<bool> remove(Context& context, const std::string& id) {
  const std::int64_t now = context.now_micros();
  const std::int64_t changed = co_await context.store.execute(
      "UPDATE workspaces SET status = 'removed', removed_at = $2, updated_at = $2"
      " WHERE id = $1 AND status != 'removed'",
      id, now);
  co_await revoke_tokens(context, id);
  co_return changed > 0;
}

std::string counted(std::string_view status, std::int64_t cascade_deleted) {
  json::Writer writer;
  {
    auto object = writer.object();
    if (!status.empty()) object.field("status", status);
    object.field("cascade_deleted", cascade_deleted);
  }
  return std::move(writer).take();
}

}  // namespace

awaitable<Reply> patch_workspace(Context& context, Request request) {
  const Result<WorkspaceRow, Reply> workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  const Result<Change, Reply> read = read_change(request);
  if (!read) co_return read.error();
  const Change& change = *read;
  if (change.has_parent && !request.caller.is_admin() && change.parent_id != workspace->parent_id) {
    co_return error_reply(403, "only the person can move a workspace to another parent");
  }
  bool fits = true;
  if (change.parent_id) {
    fits = co_await may_be_parent(context, *change.parent_id, workspace->id);
  }
  if (!fits) {
    co_return error_reply(400, "parent_id is unknown, or a descendant of this workspace");
  }
  const bool moved = change.x && change.y;
  const auto x = moved ? change.x : std::nullopt;
  const auto y = moved ? change.y : std::nullopt;
  co_await context.store.execute(
      "UPDATE workspaces SET name = coalesce($2, name), role = coalesce($3, role),"
      " tier = coalesce($4, tier), collapsed = coalesce($5, collapsed),"
      " runtime = coalesce($6, runtime), x = coalesce($7, x), y = coalesce($8, y),"
      " parent_id = CASE WHEN $9 THEN $10 ELSE parent_id END,"
      " workspace_dir = CASE WHEN $11 THEN $12 ELSE workspace_dir END,"
      " updated_at = $13 WHERE id = $1",
      workspace->id, change.name, change.role, change.tier, change.collapsed, change.runtime, x, y,
      change.has_parent, change.parent_id, change.has_dir, change.workspace_dir,
      context.now_micros());
  context.events.changed(workspace->id, "agent");
  co_return json_reply(200, R"({"status":"updated"})");
}

awaitable<Reply> delete_workspace(Context& context, Request request) {
  const std::optional<std::string> id = parse_uuid(request.args.at(0));
  if (!id) co_return error_reply(400, "invalid workspace ID");
  const std::optional<WorkspaceRow> row = co_await find_workspace(context, *id);
  const bool purge = request.parameter("purge") == "true";
  if (auto refusal = delete_refusal(request, row, purge)) co_return *std::move(refusal);
  const std::vector<Child> children = co_await find_children(context, *id);
  if (!children.empty() && request.parameter("confirm") != "true") co_return confirmation(children);
  std::vector<std::string> all = co_await find_below(context, *id);
  std::int64_t cascade_deleted = 0;
  for (const std::string& below : all) {
    const bool removed = co_await remove(context, below);
    if (!removed) continue;
    ++cascade_deleted;
    context.events.record("WORKSPACE_REMOVED", below, "{}");
  }
  const bool removed = co_await remove(context, *id);
  if (removed) {
    context.events.record("WORKSPACE_REMOVED", *id, counted("", cascade_deleted));
  }
  all.push_back(*id);
  for (std::size_t i = 0; purge && i < all.size(); ++i) {
    co_await context.store.execute("DELETE FROM workspaces WHERE id = $1", all[i]);
  }
  co_return json_reply(200, counted(purge ? "purged" : "removed", cascade_deleted));
}

}  // namespace molecule::server

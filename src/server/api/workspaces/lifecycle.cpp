// Pause, resume and restart (platform-api.md 2.6). Agents run elsewhere: a status is all there is
// to change.

#include <optional>
#include <string>
#include <vector>

#include "base/json/writer.hpp"
#include "server/api/input.hpp"

namespace molecule::server {

namespace {

struct Member {
  std::string id;
  std::string name;
  std::string runtime;
  std::int64_t tier = 0;
};

/// The workspace and all below it that are paused, or that are not.
awaitable<std::vector<Member>> family(Context& context, std::string_view id, bool paused) {
  store::Rows row = co_await context.store.query(
      "WITH RECURSIVE below(id, name, runtime, tier, status, depth) AS ("
      "  SELECT id, name, runtime, tier, status, 0 FROM workspaces WHERE id = $1"
      "  UNION ALL SELECT w.id, w.name, w.runtime, w.tier, w.status, b.depth + 1"
      "    FROM workspaces w JOIN below b ON w.parent_id = b.id)"
      " SELECT id, name, runtime, tier FROM below"
      " WHERE status != 'removed' AND (status = 'paused') = $2 ORDER BY depth, id",
      id, paused);
  std::vector<Member> members;
  while (row.next()) {
    members.push_back({.id = row.string(0),
                       .name = row.string(1),
                       .runtime = row.string(2),
                       .tier = row.integer(3)});
  }
  co_return members;
}

/// The name of the nearest workspace above that is paused.
awaitable<std::optional<std::string>> paused_above(Context& context,
                                                   const WorkspaceRow& workspace) {
  store::Rows row = co_await context.store.query(
      "WITH RECURSIVE above(id, parent_id, name, status, depth) AS ("
      "  SELECT id, parent_id, name, status, 0 FROM workspaces WHERE id = $1"
      "  UNION ALL SELECT w.id, w.parent_id, w.name, w.status, a.depth + 1"
      "    FROM workspaces w JOIN above a ON w.id = a.parent_id WHERE a.depth < 32)"
      " SELECT name FROM above WHERE depth > 0 AND status = 'paused' ORDER BY depth LIMIT 1",
      workspace.id);
  if (!row.next()) co_return std::nullopt;
  co_return row.string(0);
}

Reply parent_is_paused(std::string_view name) {
  return error_reply(
      409, "parent workspace \"" + std::string(name) + "\" is paused \xE2\x80\x94 resume it first");
}

Reply no_provisioner() {
  return error_reply(503, "provisioner not available");
}

awaitable<void> set_status(Context& context, const Member& member, std::string_view status) {
  co_await context.store.execute(
      "UPDATE workspaces SET status = $2, updated_at = $3 WHERE id = $1 AND status != 'removed'",
      member.id, status, context.now_micros());
}

std::string named(const Member& member, bool with_tier) {
  json::Writer writer;
  {
    auto payload = writer.object();
    payload.field("name", member.name);
    if (with_tier) payload.field("tier", member.tier);
  }
  return std::move(writer).take();
}

Reply counted(std::string_view status, std::string_view name, std::size_t count) {
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("status", status);
    reply.field(name, count);
  }
  return json_reply(200, std::move(writer).take());
}

}  // namespace

awaitable<Reply> pause_workspace(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace && workspace.error().status == 400) co_return workspace.error();
  if (!workspace || workspace->status == "paused") {
    co_return error_reply(404, "workspace not found or already paused");
  }
  const std::vector<Member> members = co_await family(context, workspace->id, false);
  for (const Member& member : members) {
    co_await set_status(context, member, "paused");
    context.events.record("WORKSPACE_PAUSED", member.id, named(member, false));
  }
  co_return counted("paused", "paused_count", members.size());
}

awaitable<Reply> resume_workspace(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace && workspace.error().status == 400) co_return workspace.error();
  if (!workspace || workspace->status != "paused") {
    co_return error_reply(404, "workspace not found or not paused");
  }
  const auto above = co_await paused_above(context, *workspace);
  if (above) co_return parent_is_paused(*above);
  if (!is_external_runtime(workspace->runtime)) co_return no_provisioner();
  const std::vector<Member> members = co_await family(context, workspace->id, true);
  std::size_t resumed = 0;
  for (const Member& member : members) {
    if (!is_external_runtime(member.runtime)) continue;
    // Its agent's next heartbeat brings it online.
    co_await set_status(context, member, "provisioning");
    context.events.record("WORKSPACE_PROVISIONING", member.id, named(member, true));
    ++resumed;
  }
  co_return counted("provisioning", "resumed_count", resumed);
}

awaitable<Reply> restart_workspace(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  const auto above = co_await paused_above(context, *workspace);
  if (above) co_return parent_is_paused(*above);
  if (!is_external_runtime(workspace->runtime)) co_return no_provisioner();
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("status", "noop");
    reply.field("runtime", workspace->runtime);
    reply.field("message", "the agent runs elsewhere: restart it there");
  }
  co_return json_reply(200, std::move(writer).take());
}

}  // namespace molecule::server

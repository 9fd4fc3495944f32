#include <optional>
#include <string>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "server/access/rules.hpp"
#include "server/api/input.hpp"
#include "server/api/workspaces/push_url.hpp"
#include "server/api/workspaces/workspace_rows.hpp"

namespace molecule::server {

namespace {

bool contains(std::string_view text, std::string_view folded_part) {
  return text::fold_case(text).find(folded_part) != std::string::npos;
}

void write_peer(json::Array& list, const store::Row& row) {
  auto peer = list.object();
  peer.field("id", row.text(0));
  peer.field("name", row.text(1));
  peer.nullable("role", row.optional_string(2));
  peer.field("tier", row.integer(3));
  peer.field("status", row.text(4));
  peer.raw("agent_card", row.is_null(5) ? "null" : row.text(5));
  peer.field("url", row.text(6));
  peer.nullable("parent_id", row.optional_string(7));
  peer.field("active_tasks", row.integer(8));
}

}  // namespace

awaitable<Reply> discover(Context& context, Request request) {
  const std::string& id = request.args.at(0);
  const bool may = co_await can_communicate(context.store, request.caller.workspace_id, id);
  if (!may) co_return error_reply(403, "not authorized to discover this workspace");
  const std::optional<WorkspaceRow> target = co_await find_workspace(context, id);
  if (!target) co_return error_reply(404, "workspace not found");
  const bool reachable = target->status == "online" || target->status == "degraded";
  if (!target->url && !reachable) {
    json::Writer writer;
    {
      auto reply = writer.object();
      reply.field("error", "workspace not available");
      reply.field("status", target->status);
    }
    co_return json_reply(503, std::move(writer).take());
  }
  if (target->url && push_url_problem(*target->url)) {
    co_return error_reply(503, "workspace URL failed safety check");
  }
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("id", target->id);
    // Empty for a workspace that polls. The hosted platform invents a container's URL here, which
    // leads nowhere.
    reply.field("url", target->url.value_or(""));
    reply.field("name", target->name);
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> list_peers(Context& context, Request request) {
  const std::string& id = request.args.at(0);
  const std::optional<WorkspaceRow> self = co_await find_workspace(context, id);
  if (!self) co_return error_reply(404, "workspace not found");
  const std::string wanted = text::fold_case(text::trim(request.parameter("q").value_or("")));
  // Siblings, children, parent, in this order; roots are siblings of each other.
  store::RowStream row = context.store.stream(
      "SELECT id, name, role, tier, status, agent_card, url, parent_id, active_tasks,"
      " CASE WHEN parent_id IS NOT DISTINCT FROM $2 THEN 0 WHEN parent_id = $1 THEN 1 ELSE 2 END "
      "AS relation"
      " FROM workspaces WHERE (parent_id IS NOT DISTINCT FROM $2 OR parent_id = $1 OR id = $2)"
      " AND status != 'removed' AND id != $1 ORDER BY relation, created_at",
      self->id, self->parent_id);
  json::Writer writer;
  {
    auto list = writer.array();
    while (true) {
      const bool more = co_await row.next();
      if (!more) break;
      if (wanted.empty() || contains(row.text(1), wanted) || contains(row.text(2), wanted)) {
        write_peer(list, row);
      }
    }
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> check_access(Context& context, Request request) {
  Body body(request.body);
  const std::string caller = text::lower(body.text("caller_id"));
  const std::string target = text::lower(body.text("target_id"));
  if (!body.ok() || caller.empty() || target.empty()) {
    co_return error_reply(400, "invalid request body");
  }
  bool allowed = caller == target;
  if (!allowed) allowed = co_await can_communicate(context.store, caller, target);
  json::Writer writer;
  writer.object().field("allowed", allowed);
  co_return json_reply(200, std::move(writer).take());
}

}  // namespace molecule::server

// The memories in the shape of later versions of the hosted platform (platform-api.md 10.6): by
// namespace, which is a workspace, its team, or everybody.

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "server/api/input.hpp"

namespace molecule::server {

namespace {

constexpr int default_limit = 50;
constexpr int max_limit = 100;

int read_limit(const Request& request) {
  const std::string_view text = request.parameter("limit").value_or("");
  int limit = 0;
  std::from_chars(text.data(), text.data() + text.size(), limit);
  return limit > 0 ? std::min(limit, max_limit) : default_limit;
}

/// The three places that a workspace reads memories from, and how they are called here.
struct Places {
  std::string own;
  std::string team;
  std::string everybody;
  std::string own_name;
  std::string team_name;
};

awaitable<Places> places_of(Context& context, const WorkspaceRow& workspace) {
  const std::string team = workspace.parent_id.value_or(workspace.id);
  store::Rows row = co_await context.store.query(
      "WITH RECURSIVE above(id, parent_id, depth) AS ("
      "  SELECT id, parent_id, 0 FROM workspaces WHERE id = $1"
      "  UNION ALL SELECT w.id, w.parent_id, a.depth + 1 FROM workspaces w"
      "    JOIN above a ON w.id = a.parent_id WHERE a.depth < 32)"
      " SELECT id FROM above ORDER BY depth DESC LIMIT 1",
      workspace.id);
  const std::string root = row.next() ? row.string(0) : workspace.id;
  const std::optional<WorkspaceRow> leader = co_await find_workspace(context, team);
  Places places{.own = "workspace:" + workspace.id,
                .team = "team:" + team,
                .everybody = "org:" + root,
                .own_name = workspace.name,
                .team_name = leader ? leader->name : team};
  co_return places;
}

void write_namespace(json::Array& list, std::string_view name, std::string_view kind,
                     const std::string& label) {
  auto item = list.object();
  item.field("name", name);
  item.field("kind", kind);
  item.field("label", label);
}

void write_namespaces(json::Array list, const Places& places, bool may_write_global) {
  write_namespace(list, places.own, "workspace", "Workspace (" + places.own_name + ")");
  write_namespace(list, places.team, "team", "Team (" + places.team_name + ")");
  if (may_write_global) write_namespace(list, places.everybody, "org", "Org (everybody)");
}

std::string_view scope_of(const Places& places, std::string_view name) {
  if (name == places.own) return "LOCAL";
  if (name == places.team) return "TEAM";
  return name == places.everybody ? "GLOBAL" : "";
}

/// Columns as of `search_memories`.
void write_memories(json::Array& list, const store::Row& row, std::string_view name,
                    std::string_view reader) {
  auto item = list.object();
  item.field("id", row.text(0));
  item.field("namespace", name);
  item.field("content", row.text(2));
  item.field("kind", "fact");
  item.field("source", "agent");
  item.field("pin", false);
  item.field("created_at", format_rfc3339(from_micros(row.integer(5))));
  if (row.text(1) != reader) item.field("source_workspace_id", row.text(1));
}

}  // namespace

awaitable<Reply> get_namespaces(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  const Places places = co_await places_of(context, *workspace);
  json::Writer writer;
  {
    auto reply = writer.object();
    write_namespaces(reply.array("readable"), places, true);
    write_namespaces(reply.array("writable"), places, !workspace->parent_id);
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> get_memories_v2(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  const Places places = co_await places_of(context, *workspace);
  const std::string_view wanted = request.parameter("namespace").value_or("");
  const std::string_view kind = request.parameter("kind").value_or("");
  const std::array<std::string, 3> all{places.own, places.team, places.everybody};
  int left = read_limit(request);
  // All memories here are facts.
  if (!kind.empty() && kind != "fact") left = 0;
  json::Writer writer;
  {
    auto reply = writer.object();
    auto list = reply.array("memories");
    for (const std::string& name : all) {
      if (!wanted.empty() && wanted != name) continue;
      store::MemorySearch search;
      search.query = request.parameter("q").value_or("");
      search.scope = scope_of(places, name);
      search.reader = workspace->id;
      search.team = workspace->parent_id ? *workspace->parent_id : workspace->id;
      search.limit = left;
      if (left == 0) break;
      store::RowStream row = context.store.search_memories(search);
      while (writer.text().size() < max_page_bytes) {
        const bool more = co_await row.next();
        if (!more) break;
        write_memories(list, row, name, workspace->id);
        --left;
      }
    }
  }
  co_return json_reply(200, std::move(writer).take());
}

}  // namespace molecule::server

#include <charconv>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "base/uuid.hpp"
#include "server/access/auth.hpp"
#include "server/api/input.hpp"
#include "server/api/memory/key_value.hpp"
#include "server/api/memory/memory_redaction.hpp"
#include "server/api/memory/search_words.hpp"
#include "server/api/messages/activity_rows.hpp"
#include "server/api/routes.hpp"

namespace molecule::server {

namespace {

constexpr std::size_t namespace_bytes = 50;
constexpr int most_memories = 50;

struct Memory {
  std::string id;
  std::string scope;
  std::string name_space;
  std::string content;
};

std::optional<Reply> memory_refusal(const Memory& memory, const WorkspaceRow& owner) {
  if (memory.content.empty() || memory.scope.empty()) {
    return error_reply(400, "invalid request body");
  }
  if (memory.scope != "LOCAL" && memory.scope != "TEAM" && memory.scope != "GLOBAL") {
    return error_reply(400, "scope must be LOCAL, TEAM, or GLOBAL");
  }
  if (memory.scope == "GLOBAL" && owner.parent_id) {
    return error_reply(403, "only root workspaces can write GLOBAL memories");
  }
  if (memory.name_space.size() > namespace_bytes) {
    return error_reply(400, "namespace must be <= 50 characters");
  }
  return std::nullopt;
}

/// Everybody reads GLOBAL memories behind a header of ours, which no content may imitate.
std::string without_headers(std::string_view content) {
  constexpr std::string_view header = "[MEMORY ";
  std::string out;
  out.reserve(content.size());
  for (std::size_t at = content.find(header); at != std::string_view::npos;
       at = content.find(header)) {
    out.append(content.substr(0, at)).append("[_MEMORY ");
    content.remove_prefix(at + header.size());
  }
  return out.append(content);
}

/// Who wrote what everybody reads; of the content only its hash.
void audit_global(Context& context, const WorkspaceRow& owner, const Memory& memory) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("memory_id", memory.id);
    out.field("namespace", memory.name_space);
    out.field("sha256", sha256_hex(memory.content));
  }
  Activity row;
  row.workspace_id = owner.id;
  row.type = "memory_write_global";
  row.source_id = owner.id;
  row.summary = "GLOBAL memory written";
  row.request_body = std::move(writer).take();
  insert_activity(context, row);
}

Reply post_memory(Context& context, const Request& request) {
  const auto owner = existing_workspace(context, request);
  if (!owner) return owner.error();
  Body body(request.body);
  Memory memory;
  memory.content = body.text("content");
  memory.scope = body.text("scope");
  memory.name_space = body.text("namespace");
  if (!body.ok()) return error_reply(400, "invalid request body");
  if (auto refusal = memory_refusal(memory, *owner)) return *std::move(refusal);

  if (memory.name_space.empty()) memory.name_space = "general";
  memory.id = random_uuid();
  memory.content = redact_memory(memory.content);
  if (memory.scope == "GLOBAL") {
    memory.content = without_headers(memory.content);
    audit_global(context, *owner, memory);
  }
  context.database
      .prepare(
          "INSERT INTO memories(id, workspace_id, content, scope, namespace, created_at)"
          " VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
      .bind(memory.id, owner->id, memory.content, memory.scope, memory.name_space,
            now_micros(context))
      .run();
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("id", memory.id);
    out.field("scope", memory.scope);
    out.field("namespace", memory.name_space);
  }
  return json_reply(201, std::move(writer).take());
}

// 6.2. ?1 scope, "" for all own memories; ?2 the reader; ?3 whose TEAM it is in: its parent, or
// itself where it is a root; ?4 namespace or NULL; ?5 what is searched; ?6 limit. A team's members
// may always talk to one another (1.7), so that no further check of rights is needed.
std::string build_query(std::string_view tables, std::string_view matches, std::string_view order) {
  std::string sql =
      "SELECT m.id, m.workspace_id, m.content, m.scope, m.namespace, m.created_at FROM ";
  sql.append(tables).append(" WHERE ").append(matches);
  sql +=
      " AND (?1 = '' OR m.scope = ?1) AND (?4 IS NULL OR m.namespace = ?4)"
      " AND m.workspace_id IN (SELECT id FROM workspaces WHERE CASE ?1 WHEN 'GLOBAL' THEN 1"
      " WHEN 'TEAM' THEN status != 'removed' AND (id = ?3 OR parent_id = ?3) ELSE id = ?2 END)";
  return sql.append(" ORDER BY ").append(order).append(" LIMIT ?6");
}

std::string_view words_query() {
  static const std::string sql = build_query("memories_text t JOIN memories m ON m.seq = t.rowid",
                                             "memories_text MATCH ?5", "t.rank, m.seq DESC");
  return sql;
}

/// The newest, with ?5 as a LIKE pattern, or NULL for any.
std::string_view newest_query() {
  static const std::string sql =
      build_query("memories m", "(?5 IS NULL OR m.content LIKE ?5 ESCAPE '\\')", "m.seq DESC");
  return sql;
}

struct MemorySearch {
  std::string_view query;
  std::optional<std::string> searched;
};

/// Which query answers `q`; nothing where no memory can match.
std::optional<MemorySearch> choose_search(std::string_view q) {
  if (q.empty()) return MemorySearch{newest_query(), std::nullopt};
  if (q.size() == 1) return MemorySearch{newest_query(), like_anywhere(q)};
  std::string expression = search_expression(q);
  if (expression.empty()) return std::nullopt;
  return MemorySearch{words_query(), std::move(expression)};
}

int read_limit(const Request& request) {
  const std::string_view text = request.parameter("limit").value_or("");
  int limit = 0;
  std::from_chars(text.data(), text.data() + text.size(), limit);
  return limit > 0 && limit < most_memories ? limit : most_memories;
}

void write_memory(json::Object out, const sqlite::Statement& row) {
  const std::string_view scope = row.text(3);
  out.field("id", row.text(0));
  out.field("workspace_id", row.text(1));
  if (scope == "GLOBAL") {
    std::string content = "[MEMORY id=" + row.string(0);
    content.append(" scope=GLOBAL from=").append(row.text(1)).append("]: ").append(row.text(2));
    out.field("content", content);
  } else {
    out.field("content", row.text(2));
  }
  out.field("scope", scope);
  out.field("namespace", row.text(4));
  out.field("created_at", format_rfc3339(from_micros(row.integer(5))));
}

Reply get_memories(Context& context, const Request& request) {
  const auto reader = acting_workspace(context, request);
  if (!reader) return reader.error();
  const auto search = choose_search(request.parameter("q").value_or(""));
  if (!search) return json_reply(200, "[]");
  std::string_view scope = request.parameter("scope").value_or("");
  if (scope != "LOCAL" && scope != "TEAM" && scope != "GLOBAL") scope = "";
  std::optional<std::string_view> name_space = request.parameter("namespace");
  if (name_space && name_space->empty()) name_space.reset();
  const auto row = find_workspace(context, *reader);
  const std::string team = row && row->parent_id ? *row->parent_id : *reader;

  auto statement = context.database.prepare(search->query);
  statement.bind(scope, *reader, team, name_space, search->searched, read_limit(request));
  json::Writer writer;
  {
    auto list = writer.array();
    while (writer.text().size() < page_bytes && statement.step()) {
      write_memory(list.object(), statement);
    }
  }
  return json_reply(200, std::move(writer).take());
}

Reply delete_memory(Context& context, const Request& request) {
  const auto owner = acting_workspace(context, request);
  if (!owner) return owner.error();
  const auto id = parse_uuid(request.args.at(1));
  context.database.prepare("DELETE FROM memories WHERE id = ?1 AND workspace_id = ?2")
      .bind(id, *owner)
      .run();
  if (context.database.changes() == 0) {
    return error_reply(404, "memory not found or not owned by this workspace");
  }
  return json_reply(200, R"({"status":"deleted"})");
}

}  // namespace

std::vector<Route> memory_routes() {
  std::vector<Route> routes{{"POST", "/workspaces/:id/memories", post_memory},
                            {"GET", "/workspaces/:id/memories", get_memories},
                            {"DELETE", "/workspaces/:id/memories/:memory_id", delete_memory}};
  for (const Route& route : key_value_routes()) routes.push_back(route);
  return routes;
}

}  // namespace molecule::server

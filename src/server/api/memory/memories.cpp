#include <charconv>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "server/access/tokens.hpp"
#include "server/api/input.hpp"
#include "server/api/limits/quotas.hpp"
#include "server/api/memory/memory_redaction.hpp"
#include "server/api/messages/activity_rows.hpp"

namespace molecule::server {

namespace {

constexpr std::size_t namespace_bytes = 50;
constexpr int max_memories = 50;

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

/// GLOBAL memories are shown to every workspace behind a header of ours, which content must not
/// imitate.
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

/// Records the author of a GLOBAL memory, with only a hash of its content.
awaitable<void> audit_global(Context& context, const WorkspaceRow& owner, const Memory& memory) {
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
  co_await insert_activity(context, row);
}

int read_limit(const Request& request) {
  const std::string_view text = request.parameter("limit").value_or("");
  int limit = 0;
  std::from_chars(text.data(), text.data() + text.size(), limit);
  return limit > 0 && limit < max_memories ? limit : max_memories;
}

void write_memory(json::Object out, const store::Row& row) {
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

}  // namespace

awaitable<Reply> post_memory(Context& context, Request request) {
  const auto owner = co_await existing_workspace(context, request);
  if (!owner) co_return owner.error();
  Body body(request.body);
  Memory memory;
  memory.content = body.text("content");
  memory.scope = body.text("scope");
  memory.name_space = body.text("namespace");
  if (!body.ok()) co_return error_reply(400, "invalid request body");
  if (auto refusal = memory_refusal(memory, *owner)) co_return *std::move(refusal);

  if (memory.name_space.empty()) memory.name_space = "general";
  memory.id = context.new_id();
  memory.content = redact_memory(memory.content);
  auto full = co_await refuse_memory(context, owner->id, memory.content.size());
  if (full) co_return *std::move(full);
  if (memory.scope == "GLOBAL") {
    memory.content = without_headers(memory.content);
    co_await audit_global(context, *owner, memory);
  }
  co_await context.store.execute(
      "INSERT INTO memories(id, workspace_id, content, scope, namespace, created_at)"
      " VALUES ($1, $2, $3, $4, $5, $6)",
      memory.id, owner->id, memory.content, memory.scope, memory.name_space, context.now_micros());
  context.events.changed(owner->id, "memories");
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("id", memory.id);
    out.field("scope", memory.scope);
    out.field("namespace", memory.name_space);
  }
  co_return json_reply(201, std::move(writer).take());
}

awaitable<Reply> get_memories(Context& context, Request request) {
  const auto reader = path_workspace(request);
  if (!reader) co_return reader.error();
  store::MemorySearch search;
  search.query = request.parameter("q").value_or("");
  search.scope = request.parameter("scope").value_or("");
  if (search.scope != "LOCAL" && search.scope != "TEAM" && search.scope != "GLOBAL") {
    search.scope = "";
  }
  search.name_space = request.parameter("namespace");
  if (search.name_space && search.name_space->empty()) search.name_space.reset();
  search.limit = read_limit(request);
  const auto row = co_await find_workspace(context, *reader);
  search.reader = *reader;
  search.team = row && row->parent_id ? *row->parent_id : *reader;

  store::RowStream memories = context.store.search_memories(search);
  json::Writer writer;
  {
    auto list = writer.array();
    while (writer.text().size() < max_page_bytes) {
      const bool more = co_await memories.next();
      if (!more) break;
      write_memory(list.object(), memories);
    }
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> delete_memory(Context& context, Request request) {
  const auto owner = path_workspace(request);
  if (!owner) co_return owner.error();
  const auto id = parse_uuid(request.args.at(1));
  const std::int64_t deleted = co_await context.store.execute(
      "DELETE FROM memories WHERE id = $1 AND workspace_id = $2", id, *owner);
  if (deleted == 0) {
    co_return error_reply(404, "memory not found or not owned by this workspace");
  }
  context.events.changed(*owner, "memories");
  co_return json_reply(200, R"({"status":"deleted"})");
}

}  // namespace molecule::server

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json/writer.hpp"
#include "base/result.hpp"
#include "base/text/text.hpp"
#include "server/access/tokens.hpp"
#include "server/api/input.hpp"
#include "server/api/memory/memory_redaction.hpp"
#include "server/api/workspaces/push_url.hpp"
#include "server/api/workspaces/snippets.hpp"
#include "server/api/workspaces/workspace_fields.hpp"

namespace molecule::server {

namespace {

struct Memory {
  std::string content;
  std::string scope;
};

struct NewWorkspace {
  std::string id;
  std::string name;
  std::optional<std::string> role;
  std::int64_t tier = 3;
  std::string runtime = "langgraph";
  bool external = false;
  std::string url;
  std::string delivery_mode = "push";
  std::optional<std::string> workspace_dir;
  std::string workspace_access = "none";
  std::optional<std::string> parent_id;
  std::optional<std::int64_t> budget_limit;
  std::int64_t max_concurrent_tasks = 1;
  double x = 0;
  double y = 0;
  std::vector<Memory> memories;

  std::string memory_namespace() const { return "workspace:" + id; }
};

/// platform-api.md 10.5: the code is for programs, the text for people.
Reply coded(int status, std::string_view text, std::string_view code) {
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("error", text);
    reply.field("code", code);
  }
  return json_reply(status, std::move(writer).take());
}

Failure<Reply> refuse(std::string_view text) {
  return Failure{coded(400, text, "INVALID_WORKSPACE")};
}

/// False for wrong types. Unknown scopes are skipped, as on the hosted platform.
bool read_memories(json::Value list, std::vector<Memory>& memories) {
  constexpr std::size_t max_content_bytes = 100'000;
  if (!list.present()) return true;
  if (!list.is_array()) return false;
  for (const json::Value& item : list.items()) {
    Body fields(item);
    const std::string_view content = text::prefix_bytes(fields.text("content"), max_content_bytes);
    std::string scope(fields.text("scope"));
    if (!fields.ok()) return false;
    for (char& c : scope) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    if (scope.empty()) scope = "LOCAL";
    if (scope != "LOCAL" && scope != "TEAM" && scope != "GLOBAL") continue;
    memories.push_back({.content = redact_memory(content), .scope = scope});
  }
  return true;
}

Result<NewWorkspace, Reply> read_new_workspace(const Request& request) {
  Body body(request.body);
  NewWorkspace made;
  made.name = body.text("name");
  if (body.any("role").present()) made.role = body.text("role");
  if (const auto tier = body.integer("tier").value_or(0); tier != 0) made.tier = tier;
  const std::string runtime(body.text("runtime"));
  const bool external = body.boolean("external").value_or(false);
  made.url = body.text("url");
  const std::string delivery_mode(body.text("delivery_mode"));
  const std::string workspace_dir(body.text("workspace_dir"));
  const std::string workspace_access(body.text("workspace_access"));
  const bool has_parent = body.any("parent_id").present();
  const std::string parent(body.text("parent_id"));
  made.budget_limit = body.integer("budget_limit");
  made.max_concurrent_tasks =
      std::max<std::int64_t>(body.integer("max_concurrent_tasks").value_or(1), 1);
  const bool has_template = !body.text("template").empty();
  const std::string model(body.text("model"));
  const json::Value canvas = body.any("canvas");
  if (canvas.present()) {
    Body place(canvas);
    made.x = place.number("x").value_or(0);
    made.y = place.number("y").value_or(0);
    if (!place.ok()) return refuse("invalid workspace payload");
  }
  const json::Value secrets = body.any("secrets");
  if (!body.ok() || made.name.empty() || (secrets.present() && !secrets.is_object()) ||
      !read_memories(body.any("initial_memories"), made.memories)) {
    return refuse("invalid workspace payload");
  }
  if (!is_label(made.name, max_name_bytes) || !is_label(made.role.value_or(""), max_role_bytes) ||
      !is_line(runtime, max_runtime_bytes) || !is_line(model, max_runtime_bytes) ||
      !is_line(made.url, max_url_bytes) || made.budget_limit.value_or(0) < 0) {
    return refuse("invalid workspace fields");
  }
  if (has_template) return refuse("invalid template");
  if (!workspace_dir.empty()) {
    if (!is_workspace_dir(workspace_dir)) return refuse("invalid workspace directory");
    made.workspace_dir = workspace_dir;
  }
  if (!workspace_access.empty()) {
    if (workspace_access != "none" && workspace_access != "read_only" &&
        workspace_access != "read_write") {
      return refuse("invalid workspace access");
    }
    made.workspace_access = workspace_access;
  }
  if (!delivery_mode.empty()) {
    if (delivery_mode != "push" && delivery_mode != "poll") {
      return refuse("delivery_mode must be 'push' or 'poll'");
    }
    made.delivery_mode = delivery_mode;
  }
  if (!secrets.members().empty()) {
    // There is no place to store them, and accepting them would lose them silently.
    return Failure{coded(422, "this platform stores no secrets: leave out \"secrets\"",
                         "SECRETS_NOT_SUPPORTED")};
  }
  made.external = external || is_external_runtime(runtime);
  if (made.external) {
    made.runtime = is_external_runtime(runtime) ? runtime : "external";
  } else if (!runtime.empty()) {
    made.runtime = runtime;
  }
  if (has_parent) {
    made.parent_id = parse_uuid(parent);
    if (!made.parent_id) return refuse("invalid workspace fields");
  }
  if (!made.url.empty()) {
    if (const auto problem = push_url_problem(made.url)) {
      return Failure{coded(400, *problem, "INVALID_URL")};
    }
  }
  return made;
}

awaitable<void> insert_workspace(Context& context, const NewWorkspace& made,
                                 std::string_view status) {
  co_await context.store.execute(
      "INSERT INTO workspaces (id, name, role, tier, status, url, parent_id, runtime,"
      " delivery_mode, max_concurrent_tasks, budget_limit, workspace_dir, workspace_access, x, y,"
      " created_at, updated_at)"
      " VALUES ($1, $2, $3, $4, $5, nullif($6, ''), $7, $8, $9, $10, $11, $12, $13, $14, $15,"
      " $16, $16)",
      made.id, made.name, made.role, made.tier, status, made.url, made.parent_id, made.runtime,
      made.delivery_mode, made.max_concurrent_tasks, made.budget_limit, made.workspace_dir,
      made.workspace_access, made.x, made.y, context.now_micros());
  for (const Memory& memory : made.memories) {
    co_await context.store.execute(
        "INSERT INTO memories (id, workspace_id, content, scope, namespace, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        context.new_id(), made.id, memory.content, memory.scope, made.memory_namespace(),
        context.now_micros());
  }
}

std::string named_payload(const NewWorkspace& made) {
  json::Writer writer;
  {
    auto payload = writer.object();
    payload.field("name", made.name);
    payload.field("external", true);
  }
  return std::move(writer).take();
}

awaitable<Reply> answer_external(Context& context, const Request& request, const NewWorkspace& made,
                                 std::string_view status) {
  std::string token;
  if (made.url.empty()) token = co_await mint_token(context, made.id);
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("id", made.id);
    reply.field("external", true);
    reply.field("status", status);
    if (made.url.empty()) {
      auto connection = reply.object("connection");
      write_connection(connection, public_url(context.services.base_url, request), made.id, token);
    }
  }
  co_return json_reply(201, std::move(writer).take());
}

/// The hosted platform would start a container now (platform-api.md 2.1, "without docker").
Reply answer_internal(Context& context, const NewWorkspace& made) {
  context.events.record("WORKSPACE_PROVISION_FAILED", made.id,
                        R"({"error":"this platform starts no containers"})");
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("id", made.id);
    reply.field("status", "provisioning");
    reply.field("awareness_namespace", made.memory_namespace());
    reply.field("workspace_access", made.workspace_access);
  }
  return json_reply(201, std::move(writer).take());
}

}  // namespace

awaitable<Reply> create_workspace(Context& context, Request request) {
  Result<NewWorkspace, Reply> made = read_new_workspace(request);
  if (!made) co_return made.error();
  made->id = context.new_id();
  bool parent_exists = true;
  if (made->parent_id) parent_exists = co_await may_be_parent(context, *made->parent_id, "");
  if (!parent_exists) {
    co_return coded(422, "parent workspace not found", "PARENT_NOT_FOUND");
  }
  const std::string_view status =
      !made->external ? "failed" : (made->url.empty() ? "awaiting_agent" : "online");
  co_await insert_workspace(context, *made, status);
  json::Writer provisioning;
  {
    auto payload = provisioning.object();
    payload.field("name", made->name);
    payload.field("tier", made->tier);
    payload.field("runtime", made->runtime);
  }
  context.events.record("WORKSPACE_PROVISIONING", made->id, std::move(provisioning).take());
  if (!made->external) co_return answer_internal(context, *made);
  context.events.record(made->url.empty() ? "WORKSPACE_AWAITING_AGENT" : "WORKSPACE_ONLINE",
                        made->id, named_payload(*made));
  co_return co_await answer_external(context, request, *made, status);
}

}  // namespace molecule::server

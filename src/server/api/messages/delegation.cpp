#include "server/api/messages/delegation.hpp"

#include <array>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "base/text/time.hpp"
#include "server/api/input.hpp"
#include "server/api/limits/quotas.hpp"
#include "server/api/messages/a2a.hpp"
#include "server/api/messages/activity_rows.hpp"

namespace molecule::server {

namespace {

constexpr std::size_t task_preview_bytes = 100;
constexpr std::size_t answer_preview_bytes = 200;
constexpr std::size_t summary_preview_bytes = 80;
constexpr std::size_t listed_preview_bytes = 300;
constexpr std::size_t error_bytes = 4096;

struct Delegation {
  std::string id;
  std::string source_id;
  std::string target_id;
};

std::string preview(std::string_view text, std::size_t bytes) {
  const std::string_view prefix = text::prefix_bytes(text, bytes);
  return std::string(prefix) + (prefix.size() < text.size() ? "..." : "");
}

/// `{"delegation_id": …, extra}`
std::string body_json(const Delegation& delegation, std::string_view name, std::string_view raw) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("delegation_id", delegation.id);
    out.raw(name, raw);
  }
  return std::move(writer).take();
}

/// Delegation rows have their own type and are never `a2a_receive`: a poller must not mistake its
/// own delegation for a message.
Activity delegation_row(const Delegation& delegation, std::string_view method,
                        std::string_view status) {
  Activity row;
  row.workspace_id = delegation.source_id;
  row.type = "delegation";
  row.method = method;
  row.source_id = delegation.source_id;
  if (!delegation.target_id.empty()) row.target_id = delegation.target_id;
  row.status = status;
  return row;
}

/// Returns 0 if that delegation or its idempotency key is already recorded.
awaitable<std::int64_t> insert_delegation(Context& context, const Delegation& delegation,
                                          std::string_view task, std::string_view idempotency_key,
                                          std::string_view status) {
  Activity row = delegation_row(delegation, "delegate", status);
  row.summary = "Delegating to " + delegation.target_id;
  row.request_body = body_json(delegation, "task", json::quoted(task));
  row.message_id = delegation.id;
  if (!idempotency_key.empty()) row.idempotency_key = std::string(idempotency_key);
  co_return co_await insert_activity(context, row);
}

awaitable<void> set_status(Context& context, const Delegation& delegation, std::string_view status,
                           std::string_view error) {
  co_await context.store.execute(
      "UPDATE activity SET status = $3, error_detail = CASE $4 WHEN '' THEN error_detail"
      " ELSE $4 END WHERE workspace_id = $1 AND activity_type = 'delegation'"
      " AND message_id = $2",
      delegation.source_id, delegation.id, status, error);
}

struct Extra {
  std::string_view name;
  std::string_view text;
};

void record_event(Context& context, std::string_view type, const Delegation& delegation,
                  Extra extra) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("delegation_id", delegation.id);
    if (!delegation.target_id.empty()) out.field("target_id", delegation.target_id);
    out.field(extra.name, extra.text);
  }
  context.events.record(type, delegation.source_id, std::move(writer).take());
}

awaitable<void> fail_delegation(Context& context, const Delegation& delegation,
                                std::string_view error) {
  const std::string_view shown = text::prefix_bytes(error, error_bytes);
  co_await set_status(context, delegation, "failed", shown);
  Activity result = delegation_row(delegation, "delegate_result", "failed");
  result.summary = "Delegation failed";
  result.response_body = body_json(delegation, "error", json::quoted(shown));
  result.error_detail = shown;
  co_await insert_activity(context, result);
  record_event(context, "DELEGATION_FAILED", delegation, {"error", shown});
}

awaitable<void> complete_delegation(Context& context, const Delegation& delegation,
                                    std::string_view answer) {
  co_await set_status(context, delegation, "completed", "");
  const std::string text = body_json(delegation, "text", json::quoted(answer));
  co_await context.store.execute(
      "UPDATE activity SET response_body = $3 WHERE workspace_id = $1"
      " AND activity_type = 'delegation' AND message_id = $2",
      delegation.source_id, delegation.id, text);
  Activity result = delegation_row(delegation, "delegate_result", "completed");
  result.summary = "Delegation completed (" + preview(answer, summary_preview_bytes) + ")";
  result.response_body = text;
  co_await insert_activity(context, result);
  record_event(context, "DELEGATION_COMPLETE", delegation,
               {"response_preview", preview(answer, answer_preview_bytes)});
}

/// The message is in the target's inbox. The answer arrives later as a separate message, so
/// "completed" would be untrue.
awaitable<void> queue_delegation(Context& context, const Delegation& delegation) {
  co_await set_status(context, delegation, "queued", "");
  Activity result = delegation_row(delegation, "delegate_result", "queued");
  result.summary = "Delegation queued for poll";
  result.response_body = body_json(delegation, "queued", "true");
  co_await insert_activity(context, result);
  record_event(context, "DELEGATION_STATUS", delegation, {"status", "queued"});
}

std::string task_message(const Delegation& delegation, std::string_view task) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("method", "message/send");
    auto params = out.object("params");
    auto message = params.object("message");
    message.field("role", "user");
    message.field("messageId", delegation.id);
    {
      auto parts = message.array("parts");
      auto part = parts.object();
      part.field("type", "text");
      part.field("text", task);
    }
    message.object("metadata").field("delegation_id", delegation.id);
  }
  return std::move(writer).take();
}

std::string error_of(const Reply& reply) {
  json::Document document;
  const auto parsed = document.parse(reply.body);
  return parsed.ok() ? std::string(parsed.value()["error"].string_or("")) : std::string();
}

/// Delivers the task to its target. Returns the reason if that fails.
awaitable<std::optional<std::string>> dispatch(Context& context, const Delegation& delegation,
                                               std::string_view task) {
  record_event(context, "DELEGATION_STATUS", delegation, {"status", "dispatched"});
  const std::string message = task_message(delegation, task);
  const std::optional<std::string> caller = delegation.source_id;
  const Reply reply = co_await deliver(context, caller, delegation.target_id, message);
  if (reply.status == 200) {
    co_await queue_delegation(context, delegation);
    co_return std::nullopt;
  }
  std::string error = error_of(reply);
  co_await fail_delegation(context, delegation, error);
  co_return error;
}

/// The delegation that holds this key (platform-api.md 5.1). A failed one frees the key.
awaitable<std::optional<Reply>> earlier_delegation(Context& context, std::string_view workspace_id,
                                                   std::string_view key) {
  if (key.empty()) co_return std::nullopt;
  co_await context.store.execute(
      "UPDATE activity SET idempotency_key = NULL WHERE workspace_id = $1"
      " AND idempotency_key = $2 AND status = 'failed'",
      workspace_id, key);
  store::Rows row = co_await context.store.query(
      "SELECT message_id, status, target_id FROM activity"
      " WHERE workspace_id = $1 AND idempotency_key = $2",
      workspace_id, key);
  if (!row.next()) co_return std::nullopt;
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("delegation_id", row.text(0));
    out.field("status", row.text(1));
    out.field("target_id", row.text(2));
    out.field("idempotent_hit", true);
  }
  co_return json_reply(200, std::move(writer).take());
}

// The columns of `list_delegations`.
void write_listed(json::Object out, const store::Row& row, std::string_view workspace_id) {
  out.field("id", row.text(0));
  out.field("type", row.text(1));
  out.field("source_id", row.text(2));
  out.field("target_id", row.text(3));
  out.field("summary", row.text(4));
  out.field("status", row.text(5));
  out.field("direction", row.text(2) == workspace_id ? "sent" : "received");
  out.field("created_at", format_rfc3339(from_micros(row.integer(6))));
  if (!row.text(7).empty()) out.field("delegation_id", row.text(7));
  if (!row.text(8).empty()) out.field("error", row.text(8));
  if (!row.text(9).empty()) {
    out.field("response_preview", preview(row.text(9), listed_preview_bytes));
  }
}

/// The delegation with that id, unless it already has that status: a repeated update finds none.
awaitable<std::optional<Delegation>> find_unsettled(Context& context, std::string_view workspace_id,
                                                    std::string_view id, std::string_view status) {
  store::Rows row = co_await context.store.query(
      "SELECT target_id FROM activity WHERE workspace_id = $1 AND activity_type = 'delegation'"
      " AND message_id = $2 AND status != $3",
      workspace_id, id, status);
  if (!row.next()) co_return std::nullopt;
  Delegation found{
      .id = std::string(id), .source_id = std::string(workspace_id), .target_id = row.string(0)};
  co_return found;
}

/// What was asked, and what came of it, whole.
void write_details(json::Object& out, const store::Row& row) {
  json::Document request;
  json::Document response;
  const auto asked = request.parse(row.text(6));
  const auto answered = response.parse(row.text(7));
  out.field("delegation_id", row.text(0));
  out.field("source_id", row.text(1));
  out.field("target_id", row.text(2));
  out.field("summary", row.text(3));
  out.field("status", row.text(4));
  out.field("created_at", format_rfc3339(from_micros(row.integer(5))));
  out.field("task", asked ? asked.value()["task"].string_or("") : "");
  if (answered && answered.value()["text"].is_string()) {
    const std::string_view text = answered.value()["text"].string_or("");
    out.field("response_preview", preview(text, listed_preview_bytes));
    out.field("response", text);
  }
  out.nullable("error", row.optional_string(8));
}

}  // namespace

awaitable<void> complete_by_answer(Context& context, DelegationAnswer answer) {
  if (answer.in_reply_to.empty()) co_return;
  store::Rows row = co_await context.store.query(
      "SELECT 1 FROM activity WHERE workspace_id = $1 AND activity_type = 'delegation'"
      " AND message_id = $2 AND target_id = $3"
      " AND status IN ('pending', 'dispatched', 'queued')",
      answer.workspace_id, answer.in_reply_to, answer.peer_id);
  if (!row.next()) co_return;
  const Delegation delegation{answer.in_reply_to, answer.workspace_id, answer.peer_id};
  co_await complete_delegation(context, delegation, answer.text);
}

awaitable<Reply> get_delegation(Context& context, Request request) {
  const auto acting = path_workspace(request);
  if (!acting) co_return acting.error();
  store::Rows row = co_await context.store.query(
      "SELECT message_id, source_id, target_id, summary, status, created_at, request_body,"
      " response_body, error_detail FROM activity WHERE workspace_id = $1"
      " AND activity_type = 'delegation' AND message_id = $2",
      *acting, request.args.at(1));
  if (!row.next()) co_return error_reply(404, "delegation not found");
  json::Writer writer;
  {
    auto out = writer.object();
    write_details(out, row);
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> post_delegate(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  Body body(request.body);
  const std::string_view target = body.text("target_id");
  const std::string_view task = body.text("task");
  const std::string_view key = body.text("idempotency_key");
  if (!body.ok() || target.empty() || task.empty()) {
    co_return error_reply(400, "invalid delegation request");
  }
  const auto target_id = parse_uuid(target);
  if (!target_id) co_return error_reply(400, "target_id must be a valid UUID");
  if (*target_id == workspace->id) co_return error_reply(400, "self-delegation not permitted");
  if (!workspace->can_delegate) co_return error_reply(403, "tool call failed");
  auto earlier = co_await earlier_delegation(context, workspace->id, key);
  if (earlier) co_return *std::move(earlier);
  auto full = co_await refuse_row(context, workspace->id, workspace->id, task.size());
  if (full) co_return *std::move(full);

  const Delegation delegation{context.new_id(), workspace->id, *target_id};
  co_await insert_delegation(context, delegation, task, key, "pending");
  record_event(context, "DELEGATION_SENT", delegation,
               {"task_preview", preview(task, task_preview_bytes)});
  const std::optional<std::string> failure = co_await dispatch(context, delegation, task);
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("delegation_id", delegation.id);
    out.field("status", "delegated");
    out.field("target_id", delegation.target_id);
    if (failure) out.field("warning", "delegation failed: " + *failure);
  }
  co_return json_reply(202, std::move(writer).take());
}

awaitable<Reply> get_delegations(Context& context, Request request) {
  const auto acting = path_workspace(request);
  if (!acting) co_return acting.error();
  store::Rows row = co_await context.store.list_delegations(*acting);
  json::Writer writer;
  {
    auto list = writer.array();
    while (row.next()) write_listed(list.object(), row, *acting);
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> post_record(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  Body body(request.body);
  const std::string_view target = body.text("target_id");
  const std::string_view task = body.text("task");
  const std::string_view id = body.text("delegation_id");
  if (!body.ok() || target.empty() || task.empty() || id.empty()) {
    co_return error_reply(400, "invalid request body");
  }
  const auto target_id = parse_uuid(target);
  if (!target_id) co_return error_reply(400, "target_id must be a valid UUID");

  auto full = co_await refuse_row(context, workspace->id, workspace->id, task.size());
  if (full) co_return *std::move(full);
  const Delegation delegation{std::string(id), workspace->id, *target_id};
  const std::int64_t inserted =
      co_await insert_delegation(context, delegation, task, "", "dispatched");
  if (inserted > 0) {
    record_event(context, "DELEGATION_SENT", delegation,
                 {"task_preview", preview(task, task_preview_bytes)});
  }
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("delegation_id", delegation.id);
    out.field("status", "recorded");
  }
  co_return json_reply(202, std::move(writer).take());
}

awaitable<Reply> post_update(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  Body body(request.body);
  const std::string_view status = body.text("status");
  const std::string_view error = body.text("error");
  const std::string_view answer = body.text("response_preview");
  if (!body.ok() || status.empty()) co_return error_reply(400, "invalid request body");
  if (status != "completed" && status != "failed") {
    co_return error_reply(400, "status must be 'completed' or 'failed'");
  }
  const std::string& id = request.args.at(1);
  const auto delegation = co_await find_unsettled(context, workspace->id, id, status);
  if (delegation && status == "completed") {
    co_await complete_delegation(context, *delegation, answer);
  } else if (delegation) {
    co_await fail_delegation(context, *delegation, error);
  }
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("status", status);
    out.field("delegation_id", id);
  }
  co_return json_reply(200, std::move(writer).take());
}

}  // namespace molecule::server

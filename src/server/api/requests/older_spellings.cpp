// User tasks and approvals of the hosted platform: the same rows in other words (page.md 3.7).

#include <string>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "server/api/requests/request_changes.hpp"
#include "server/api/requests/request_input.hpp"

namespace molecule::server {

namespace {

/// Of those that wait for nobody any more.
constexpr int max_closed = 50;

std::string_view task_status(const RequestRow& row) {
  if (row.is_open()) return "pending";
  return row.status == "done" ? "done" : "dismissed";
}

std::string_view approval_status(const RequestRow& row) {
  if (row.is_open()) return "pending";
  if (row.status == "approved") return "approved";
  return row.status == "rejected" ? "denied" : "withdrawn";
}

void write_resolution(json::Object& out, const RequestRow& row) {
  if (row.responded_at) {
    out.field("resolved_at", format_rfc3339(from_micros(*row.responded_at)));
    out.field("resolved_by", "human");
  } else {
    out.field("resolved_at", nullptr);
    out.field("resolved_by", nullptr);
  }
}

void write_old(json::Object& out, const RequestRow& row) {
  const bool task = row.kind == "task";
  out.field("id", row.id);
  out.field("workspace_id", row.requester.id);
  out.field(task ? "title" : "action", row.title);
  out.nullable(task ? "detail" : "reason", row.detail);
  out.field("status", task ? task_status(row) : approval_status(row));
  out.field("created_at", format_rfc3339(from_micros(row.created_at)));
  write_resolution(out, row);
}

void write_old_listed(json::Array& list, const store::Row& row) {
  auto item = list.object();
  write_old(item, read_request(row));
  item.field("workspace_name", row.text(request_column_count + 1));
}

/// Those of one workspace, newest first: all that wait, and the newest of the others.
awaitable<Reply> list_own(Context& context, std::string kind, std::string workspace_id) {
  static const std::string sql =
      std::string(request_columns) +
      ", w.id, w.name FROM requests r JOIN workspaces w ON w.id = r.requester_id"
      " WHERE r.requester_id = $2 AND r.recipient_type = 'user' AND r.kind = $1"
      " AND w.status != 'removed' AND (r.status IN ('pending', 'info_requested') OR r.id IN"
      "  (SELECT c.id FROM requests c WHERE c.requester_id = $2 AND c.recipient_type = 'user'"
      "   AND c.kind = $1 AND c.status NOT IN ('pending', 'info_requested')"
      "   ORDER BY c.seq DESC LIMIT $3))"
      " ORDER BY r.seq DESC";
  store::RowStream rows = context.store.stream(sql, kind, workspace_id, max_closed);
  co_return co_await list_reply(std::move(rows), write_old_listed);
}

/// The request to the person that the path names, of that kind; the failure is the reply.
awaitable<Result<RequestRow, Reply>> named_request(Context& context, Request request,
                                                   std::string kind) {
  std::optional<RequestRow> row = co_await find_request(context, request.args.at(1));
  const bool right = row && row->kind == kind && row->requester == Party::agent(request.args[0]) &&
                     !row->recipient.is_agent();
  if (right) co_return *std::move(row);
  const Failure refusal{
      error_reply(404, kind == "task" ? "user task not found" : "approval not found")};
  co_return refusal;
}

Reply only_the_person() {
  return error_reply(403, "only the person decides");
}

Reply created_reply(std::string_view name, std::string_view id) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field(name, id);
    out.field("status", "pending");
  }
  return json_reply(201, std::move(writer).take());
}

Reply id_status_reply(std::string_view name, std::string_view id, std::string_view status) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("status", status);
    out.field(name, id);
  }
  return json_reply(200, std::move(writer).take());
}

/// What an agent asks of the person in these spellings.
awaitable<Reply> create_old(Context& context, Request request, std::string kind) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  const bool task = kind == "task";
  Body body(request.body);
  RequestRow wanted;
  wanted.title = body.text(task ? "title" : "action");
  const std::string_view detail = body.text(task ? "detail" : "reason");
  if (!body.ok()) co_return error_reply(400, "invalid request body");
  if (auto refusal = title_refusal(wanted.title)) co_return *std::move(refusal);
  if (auto refusal = detail_refusal("detail", detail)) co_return *std::move(refusal);
  wanted.kind = kind;
  wanted.requester = Party::agent(workspace->id);
  wanted.recipient = Party::user();
  if (!detail.empty()) wanted.detail = detail;
  const auto created = co_await create_request(context, std::move(wanted));
  if (!created) co_return created.error();
  co_return created_reply(task ? "user_task_id" : "approval_id", created->id);
}

}  // namespace

awaitable<Reply> post_user_task(Context& context, Request request) {
  co_return co_await create_old(context, std::move(request), "task");
}

awaitable<Reply> list_user_tasks(Context& context, Request request) {
  const auto acting = path_workspace(request);
  if (!acting) co_return acting.error();
  co_return co_await list_own(context, "task", *acting);
}

awaitable<Reply> list_pending_user_tasks(Context& context, Request request) {
  co_return co_await pending_reply(context, std::move(request), "task", write_old_listed);
}

/// Its own agent may reword it while it waits.
awaitable<Reply> patch_user_task(Context& context, Request request) {
  const auto row = co_await named_request(context, request, "task");
  if (!row) co_return row.error();
  Body body(request.body);
  const std::string_view title = body.has("title") ? body.text("title") : row->title;
  const std::string kept = row->detail.value_or("");
  const std::string_view detail = body.has("detail") ? body.text("detail") : kept;
  if (!body.ok()) co_return error_reply(400, "invalid request body");
  if (auto refusal = title_refusal(title)) co_return *std::move(refusal);
  if (auto refusal = detail_refusal("detail", detail)) co_return *std::move(refusal);
  const std::int64_t changed = co_await context.store.execute(
      "UPDATE requests SET title = $2, detail = nullif($3, ''), updated_at = $4"
      " WHERE id = $1 AND status IN ('pending', 'info_requested')",
      row->id, title, detail, context.now_micros());
  if (changed == 0) co_return error_reply(404, "user task not found");
  co_return id_status_reply("user_task_id", row->id, "updated");
}

awaitable<Reply> delete_user_task(Context& context, Request request) {
  const auto row = co_await named_request(context, request, "task");
  if (!row) co_return row.error();
  auto refusal = co_await cancel(context, *row, row->requester);
  if (refusal) co_return *std::move(refusal);
  co_return id_status_reply("user_task_id", row->id, "deleted");
}

awaitable<Reply> resolve_user_task(Context& context, Request request) {
  if (!request.caller.is_admin()) co_return only_the_person();
  const auto row = co_await named_request(context, request, "task");
  if (!row) co_return row.error();
  Body body(request.body);
  const std::string_view status = body.text("status");
  if (!body.ok() || (status != "done" && status != "dismissed")) {
    co_return error_reply(400, "status must be 'done' or 'dismissed'");
  }
  const std::string action = status == "done" ? "done" : "rejected";
  auto refusal = co_await respond(context, *row, Party::user(), action, "");
  if (refusal) co_return *std::move(refusal);
  co_return id_status_reply("user_task_id", row->id, status);
}

awaitable<Reply> post_approval(Context& context, Request request) {
  co_return co_await create_old(context, std::move(request), "approval");
}

awaitable<Reply> list_approvals(Context& context, Request request) {
  const auto acting = path_workspace(request);
  if (!acting) co_return acting.error();
  co_return co_await list_own(context, "approval", *acting);
}

awaitable<Reply> list_pending_approvals(Context& context, Request request) {
  co_return co_await pending_reply(context, std::move(request), "approval", write_old_listed);
}

awaitable<Reply> decide_approval(Context& context, Request request) {
  if (!request.caller.is_admin()) co_return only_the_person();
  const auto row = co_await named_request(context, request, "approval");
  if (!row) co_return row.error();
  Body body(request.body);
  const std::string_view decision = body.text("decision");
  if (!body.ok() || (decision != "approved" && decision != "denied")) {
    co_return error_reply(400, "decision must be 'approved' or 'denied'");
  }
  const std::string action = decision == "approved" ? "approved" : "rejected";
  auto refusal = co_await respond(context, *row, Party::user(), action, "");
  if (refusal) co_return *std::move(refusal);
  co_return id_status_reply("approval_id", row->id, decision);
}

awaitable<Reply> withdraw_approval(Context& context, Request request) {
  auto row = co_await find_request(context, request.args.at(1));
  if (!row || row->kind != "approval") co_return error_reply(404, "approval not found");
  if (row->requester != Party::agent(request.args.at(0))) {
    co_return error_reply(403, "not the requester");
  }
  if (!row->is_open()) co_return error_reply(409, "approval is not pending");
  const std::string id = row->id;
  const Party requester = row->requester;
  auto refusal = co_await cancel(context, *std::move(row), requester);
  if (refusal) co_return *std::move(refusal);
  co_return id_status_reply("approval_id", id, "withdrawn");
}

}  // namespace molecule::server

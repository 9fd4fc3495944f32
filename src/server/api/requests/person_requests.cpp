// What waits for the person, and what the person asks of agents (page.md 3.3).

#include <string>
#include <utility>

#include "server/api/input.hpp"
#include "server/api/requests/request_calls.hpp"
#include "server/api/requests/request_changes.hpp"
#include "server/api/requests/request_input.hpp"

namespace molecule::server {

awaitable<Reply> list_pending_requests(Context& context, Request request) {
  const std::string kind(request.parameter("kind").value_or(""));
  if (!kind.empty() && kind != "task" && kind != "approval") {
    co_return error_reply(400, "kind must be 'task' or 'approval'");
  }
  co_return co_await pending_reply(context, std::move(request), kind, write_listed);
}

awaitable<Reply> list_all_requests(Context& context, Request request) {
  static const std::string sql =
      std::string(request_columns) +
      ", w.id, w.name FROM requests r LEFT JOIN workspaces w ON w.id = r.requester_id"
      " WHERE ($1 = '' OR r.status = $1"
      "  OR ($1 = 'decided' AND r.status NOT IN ('pending', 'info_requested')))"
      " ORDER BY CASE WHEN $1 = 'decided' THEN coalesce(r.responded_at, r.updated_at) END DESC, "
      "r.seq DESC"
      " LIMIT $2 OFFSET $3";
  store::RowStream rows =
      context.store.stream(sql, request.parameter("status").value_or(""), list_limit(request),
                           list_number(request, "offset", 0, INT32_MAX, 0));
  co_return co_await list_reply(std::move(rows), write_listed);
}

awaitable<Reply> post_person_request(Context& context, Request request) {
  Body body(request.body);
  const std::optional<std::string> recipient_id = parse_uuid(body.text("recipient_id"));
  const std::string_view title = body.text("title");
  const std::string_view detail = body.text("detail");
  RequestRow wanted;
  wanted.priority = body.integer("priority");
  if (!body.ok()) co_return error_reply(400, "invalid request body");
  if (auto refusal = title_refusal(title)) co_return *std::move(refusal);
  if (auto refusal = detail_refusal("detail", detail)) co_return *std::move(refusal);
  if (!recipient_id) co_return error_reply(400, "recipient_id must be a valid UUID");
  const std::optional<WorkspaceRow> recipient = co_await find_workspace(context, *recipient_id);
  if (!recipient || recipient->status == "removed") {
    co_return error_reply(404, "recipient not found");
  }
  wanted.kind = "task";
  wanted.requester = Party::user();
  wanted.recipient = Party::agent(recipient->id);
  wanted.title = title;
  if (!detail.empty()) wanted.detail = detail;
  const auto created = co_await create_request(context, std::move(wanted));
  if (!created) co_return created.error();
  co_return status_reply(201, created->status, created->id);
}

awaitable<Reply> get_person_request(Context& context, Request request) {
  std::optional<RequestRow> row = co_await find_request(context, request.args.at(0));
  if (!row) co_return no_request();
  co_return co_await thread_reply(context, *std::move(row));
}

awaitable<Reply> post_person_response(Context& context, Request request) {
  auto row = co_await find_request(context, request.args.at(0));
  co_return co_await answer_respond(context, std::move(row), Party::user(), std::move(request));
}

awaitable<Reply> post_person_message(Context& context, Request request) {
  auto row = co_await find_request(context, request.args.at(0));
  co_return co_await answer_message(context, std::move(row), Party::user(), std::move(request));
}

awaitable<Reply> post_person_cancel(Context& context, Request request) {
  auto row = co_await find_request(context, request.args.at(0));
  co_return co_await answer_cancel(context, std::move(row), Party::user());
}

}  // namespace molecule::server

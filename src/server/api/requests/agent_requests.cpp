// An agent's own requests, and those to it (page.md 3.2). Who it is comes from its token.

#include <string>

#include "base/json/writer.hpp"
#include "server/access/rules.hpp"
#include "server/api/requests/request_calls.hpp"
#include "server/api/requests/request_changes.hpp"
#include "server/api/requests/request_input.hpp"

namespace molecule::server {

namespace {

constexpr int max_listed = 50;

Party caller_of(const Request& request) {
  const std::optional<std::string> workspace = request.caller.workspace();
  return workspace ? Party::agent(*workspace) : Party::user();
}

/// The refusal if `sender` may not ask `row`'s recipient for that.
awaitable<std::optional<Reply>> recipient_refusal(Context& context, std::string sender,
                                                  RequestRow row) {
  if (!row.recipient.is_agent()) co_return std::nullopt;
  if (row.kind == "approval") {
    co_return error_reply(400, "only the person decides an approval");
  }
  const std::optional<WorkspaceRow> recipient = co_await find_workspace(context, row.recipient.id);
  if (!recipient || recipient->status == "removed") {
    co_return error_reply(404, "recipient not found");
  }
  if (recipient->id == sender) co_return error_reply(400, "a request to oneself");
  const bool may = co_await can_communicate(context.store, sender, recipient->id);
  if (may) co_return std::nullopt;
  co_return error_reply(403, "access denied: workspaces cannot communicate per hierarchy rules");
}

/// The recipient that a body names: the person, unless it says otherwise.
Result<Party, Reply> read_recipient(Body& body) {
  const std::string_view type = body.text("recipient_type");
  const std::string_view id = body.text("recipient_id");
  if (type.empty() || type == "user") return Party::user();
  if (type != "agent") {
    return Failure{error_reply(400, "recipient_type must be 'user' or 'agent'")};
  }
  const std::optional<std::string> uuid = parse_uuid(id);
  if (!uuid) return Failure{error_reply(400, "recipient_id must be a valid UUID")};
  return Party::agent(*uuid);
}

awaitable<Reply> list_reply(Context& context, Request request, std::string_view column) {
  const auto acting = path_workspace(request);
  if (!acting) co_return acting.error();
  const std::string sql = std::string(request_columns) + " FROM requests r WHERE r." +
                          std::string(column) +
                          " = $1 AND ($2 = '' OR r.status = $2) ORDER BY r.seq DESC LIMIT $3";
  store::RowStream row =
      context.store.stream(sql, *acting, request.parameter("status").value_or(""), max_listed);
  json::Writer writer;
  {
    auto list = writer.array();
    while (writer.text().size() < max_page_bytes) {
      const bool more = co_await row.next();
      if (!more) break;
      auto item = list.object();
      write_request(item, read_request(row));
    }
  }
  co_return json_reply(200, std::move(writer).take());
}

bool takes_part(const RequestRow& row, std::string_view workspace_id) {
  const Party self = Party::agent(workspace_id);
  return row.requester == self || row.recipient == self;
}

}  // namespace

awaitable<Reply> post_request(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  Body body(request.body);
  Result<RequestRow, Reply> wanted = read_request_body(body);
  if (!wanted) co_return wanted.error();
  const Result<Party, Reply> recipient = read_recipient(body);
  if (!body.ok()) co_return error_reply(400, "invalid request body");
  if (!recipient) co_return recipient.error();
  wanted->requester = Party::agent(workspace->id);
  wanted->recipient = *recipient;
  auto refusal = co_await recipient_refusal(context, workspace->id, *wanted);
  if (refusal) co_return *std::move(refusal);
  const auto created = co_await create_request(context, *std::move(wanted));
  if (!created) co_return created.error();
  co_return status_reply(201, created->status, created->id);
}

awaitable<Reply> list_requests(Context& context, Request request) {
  co_return co_await list_reply(context, std::move(request), "requester_id");
}

awaitable<Reply> list_inbox_requests(Context& context, Request request) {
  co_return co_await list_reply(context, std::move(request), "recipient_id");
}

awaitable<Reply> get_request(Context& context, Request request) {
  const auto acting = path_workspace(request);
  if (!acting) co_return acting.error();
  std::optional<RequestRow> row = co_await find_request(context, request.args.at(1));
  if (!row) co_return no_request();
  if (!takes_part(*row, *acting)) co_return error_reply(403, "not a participant");
  co_return co_await thread_reply(context, *std::move(row));
}

awaitable<Reply> post_request_response(Context& context, Request request) {
  auto row = co_await find_request(context, request.args.at(1));
  const Party caller = caller_of(request);
  co_return co_await answer_respond(context, std::move(row), caller, std::move(request));
}

awaitable<Reply> post_request_message(Context& context, Request request) {
  auto row = co_await find_request(context, request.args.at(1));
  const Party caller = caller_of(request);
  co_return co_await answer_message(context, std::move(row), caller, std::move(request));
}

awaitable<Reply> post_request_cancel(Context& context, Request request) {
  auto row = co_await find_request(context, request.args.at(1));
  const Party caller = caller_of(request);
  co_return co_await answer_cancel(context, std::move(row), caller);
}

}  // namespace molecule::server

#include "server/api/requests/request_calls.hpp"

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "server/api/requests/request_changes.hpp"
#include "server/api/requests/request_input.hpp"

namespace molecule::server {

awaitable<Reply> answer_respond(Context& context, std::optional<RequestRow> row, Party actor,
                                Request request) {
  Body body(request.body);
  const std::string action(body.text("action"));
  const std::string message(text::trim(body.text("message")));
  if (!body.ok() || action.empty()) co_return error_reply(400, "action is required");
  if (auto refusal = detail_refusal("message", message)) co_return *std::move(refusal);
  if (!row) co_return no_request();
  const std::string id = row->id;
  auto refusal = co_await respond(context, *std::move(row), std::move(actor), action, message);
  if (refusal) co_return *std::move(refusal);
  co_return status_reply(200, action, id);
}

awaitable<Reply> answer_message(Context& context, std::optional<RequestRow> row, Party author,
                                Request request) {
  Body body(request.body);
  const std::string text(body.text("body"));
  if (!body.ok() || text::trim(text).empty()) co_return error_reply(400, "body is required");
  if (auto refusal = detail_refusal("body", text)) co_return *std::move(refusal);
  if (!row) co_return no_request();
  const std::string id = row->id;
  const auto added = co_await add_message(context, *std::move(row), std::move(author), text);
  if (!added) co_return added.error();
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("status", "created");
    out.field("request_id", id);
    out.field("message_id", *added);
  }
  co_return json_reply(201, std::move(writer).take());
}

awaitable<Reply> answer_cancel(Context& context, std::optional<RequestRow> row, Party actor) {
  if (!row) co_return no_request();
  const std::string id = row->id;
  auto refusal = co_await cancel(context, *std::move(row), std::move(actor));
  if (refusal) co_return *std::move(refusal);
  co_return status_reply(200, "cancelled", id);
}

}  // namespace molecule::server

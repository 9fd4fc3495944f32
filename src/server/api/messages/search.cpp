// What was said and remembered, found by its words (page.md 2.3).

#include <string>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "base/text/time.hpp"
#include "server/api/input.hpp"
#include "server/api/messages/message_text.hpp"

namespace molecule::server {

namespace {

/// What a row says: the message, or the answer.
std::string content_of(const store::Row& row) {
  json::Document request;
  json::Document response;
  std::string text;
  if (const auto sent = request.parse(row.text(5)); sent) {
    text = text_of(sent.value()["params"]["message"]["parts"].items());
    if (text.empty()) text = sent.value()["task"].string_or("");
  }
  if (const auto answer = response.parse(row.text(6)); text.empty() && answer) {
    text = answer.value()["result"].string_or(answer.value()["text"].string_or(""));
  }
  return text;
}

/// The store looks into whole bodies: what matched may be a name of the format.
bool really_matches(std::string_view query, std::string_view label, std::string_view content) {
  const std::string folded = text::fold_case(query);
  return text::fold_case(label).find(folded) != std::string::npos ||
         text::fold_case(content).find(folded) != std::string::npos;
}

/// Whether the bodies are part of the item, as in session-search.
enum class Bodies { no, yes };

awaitable<void> write_found(store::RowStream row, json::Array& list, std::string query, int limit,
                            Bodies bodies) {
  while (limit > 0) {
    const bool more = co_await row.next();
    if (!more) break;
    const bool activity = row.text(0) == "activity";
    const std::string content = activity ? content_of(row) : row.string(4);
    if (activity && !really_matches(query, row.text(3), content)) continue;
    --limit;
    auto item = list.object();
    item.field("kind", row.text(0));
    item.field("id", row.text(1));
    item.field("workspace_id", row.text(2));
    item.field("workspace_name", row.text(10));
    item.field("label", row.text(3));
    item.field("content", content);
    item.nullable("method", row.optional_string(7));
    item.nullable("status", row.optional_string(8));
    item.field("created_at", format_rfc3339(from_micros(row.integer(9))));
    if (bodies == Bodies::no || !activity) continue;
    if (!row.is_null(5)) item.raw("request_body", row.text(5));
    if (!row.is_null(6)) item.raw("response_body", row.text(6));
  }
}

awaitable<void> write_workspaces(Context& context, json::Array& list, std::string query) {
  store::RowStream row = context.store.stream(
      "SELECT id, name, role, status, created_at FROM workspaces WHERE status != 'removed'"
      " ORDER BY name, id");
  while (true) {
    const bool more = co_await row.next();
    if (!more) break;
    if (!really_matches(query, row.text(1), row.text(2))) continue;
    auto item = list.object();
    item.field("kind", "workspace");
    item.field("id", row.text(0));
    item.field("workspace_id", row.text(0));
    item.field("workspace_name", row.text(1));
    item.field("label", row.text(1));
    item.field("content", row.text(2));
    item.field("method", nullptr);
    item.field("status", row.text(3));
    item.field("created_at", format_rfc3339(from_micros(row.integer(4))));
  }
}

}  // namespace

awaitable<Reply> search_session(Context& context, Request request) {
  const auto acting = path_workspace(request);
  if (!acting) co_return acting.error();
  const std::string query(text::trim(request.parameter("q").value_or("")));
  json::Writer writer;
  {
    auto list = writer.array();
    store::RowStream found = context.store.search_everything(*acting, query);
    co_await write_found(std::move(found), list, query, list_limit(request), Bodies::yes);
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> search_all(Context& context, Request request) {
  const std::string query(text::trim(request.parameter("q").value_or("")));
  if (query.empty()) co_return json_reply(200, "[]");
  json::Writer writer;
  {
    auto list = writer.array();
    co_await write_workspaces(context, list, query);
    store::RowStream found = context.store.search_everything("", query);
    co_await write_found(std::move(found), list, query, list_limit(request), Bodies::no);
  }
  co_return json_reply(200, std::move(writer).take());
}

}  // namespace molecule::server

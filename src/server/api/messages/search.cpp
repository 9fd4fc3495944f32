// What was said and remembered, found by its words (page.md 2.3).

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "base/async/clock.hpp"
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

/// What is written of the items that were found.
struct Found {
  json::Array& list;
  std::string query;
  /// How many more are wanted.
  int wanted;
  Bodies bodies;
  /// A row that comes while windows are read may bring one of them twice.
  std::set<std::string, std::less<>> ids = {};
};

awaitable<void> write_found(store::RowStream row, Found& found) {
  while (found.wanted > 0) {
    const bool more = co_await row.next();
    if (!more) break;
    const bool activity = row.text(0) == "activity";
    const std::string content = activity ? content_of(row) : row.string(4);
    if (activity && !really_matches(found.query, row.text(3), content)) continue;
    if (!found.ids.insert(row.string(1)).second) continue;
    --found.wanted;
    auto item = found.list.object();
    item.field("kind", row.text(0));
    item.field("id", row.text(1));
    item.field("workspace_id", row.text(2));
    item.field("workspace_name", row.text(10));
    item.field("label", row.text(3));
    item.field("content", content);
    item.nullable("method", row.optional_string(7));
    item.nullable("status", row.optional_string(8));
    item.field("created_at", format_rfc3339(from_micros(row.integer(9))));
    if (found.bodies == Bodies::no || !activity) continue;
    if (!row.is_null(5)) item.raw("request_body", row.text(5));
    if (!row.is_null(6)) item.raw("response_body", row.text(6));
  }
}

/// The oldest of the newest `window` rows before `before_seq`; none if there is nothing before it.
awaitable<std::optional<std::int64_t>> start_of_window(Context& context,
                                                       std::optional<std::int64_t> before_seq,
                                                       int window) {
  store::Rows row = co_await context.store.query(
      "SELECT min(seq) FROM (SELECT seq FROM activity"
      " WHERE seq < coalesce($1, 9223372036854775807) ORDER BY seq DESC LIMIT $2) AS newest",
      before_seq, window);
  if (!row.next()) co_return std::nullopt;
  co_return row.optional_integer(0);
}

/// Looks through all messages, a window at a time. As much time as one takes is left to others
/// before the next.
awaitable<void> write_all_found(Context& context, Found& found) {
  using store::Session;
  constexpr std::chrono::seconds patience{5};
  constexpr Clock::duration shortest_pause = std::chrono::milliseconds(1);
  Clock& clock = context.services.clock;
  const Clock::time_point give_up = clock.now() + patience;
  store::RowStream newest = context.store.search_everything("", found.query);
  co_await write_found(std::move(newest), found);
  std::optional<std::int64_t> before =
      co_await start_of_window(context, std::nullopt, Session::search_window);
  Clock::duration pause = shortest_pause;
  while (found.wanted > 0 && before && clock.now() < give_up) {
    const std::optional<std::int64_t> next =
        co_await start_of_window(context, before, Session::older_window);
    if (!next) break;
    co_await sleep_for(clock, pause);
    const Clock::time_point start = clock.now();
    store::RowStream older = context.store.search_older("", found.query, *before);
    co_await write_found(std::move(older), found);
    pause = std::max(shortest_pause, clock.now() - start);
    before = next;
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
    Found out{.list = list, .query = query, .wanted = list_limit(request), .bodies = Bodies::yes};
    co_await write_found(std::move(found), out);
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
    Found found{.list = list, .query = query, .wanted = list_limit(request), .bodies = Bodies::no};
    co_await write_all_found(context, found);
  }
  co_return json_reply(200, std::move(writer).take());
}

}  // namespace molecule::server

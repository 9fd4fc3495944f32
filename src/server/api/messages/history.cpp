#include <algorithm>
#include <charconv>
#include <vector>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "server/api/input.hpp"
#include "server/api/messages/message_text.hpp"

namespace molecule::server {

namespace {

constexpr int default_limit = 50;
constexpr int max_limit = 1000;

int read_limit(const Request& request) {
  const std::string_view text = request.parameter("limit").value_or("");
  int number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure == std::errc::result_out_of_range) return max_limit;
  const bool whole = failure == std::errc() && end == text.data() + text.size();
  return whole && number > 0 ? std::min(number, max_limit) : default_limit;
}

/// What tells one message from others, and which one it answers; empty where that is not known.
struct Ids {
  std::string_view message_id;
  std::string_view in_reply_to;
};

/// Of a row's id in the inbox, which is apart from those of the person's messages.
std::string_view notified_id(std::string_view message_id) {
  constexpr std::string_view prefix = "notify:";
  return message_id.starts_with(prefix) ? message_id.substr(prefix.size()) : std::string_view();
}

/// One bubble of the chat; `suffix` distinguishes the two of one row.
std::string bubble(const store::Row& row, std::string_view role, std::string_view suffix,
                   std::string_view text, const std::vector<json::Value>& parts, Ids ids) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("id", row.string(0).append(suffix));
    out.field("role", role);
    out.field("content", text);
    write_attachments(out, parts);
    out.field("timestamp", format_rfc3339(from_micros(row.integer(1))));
    out.field("seq", row.integer(5));
    if (!ids.message_id.empty()) out.field("message_id", ids.message_id);
    if (!ids.in_reply_to.empty()) out.field("in_reply_to", ids.in_reply_to);
  }
  return std::move(writer).take();
}

/// The bubbles of a row (platform-api.md 4.4): the user's message, the agent's answer, or both, the
/// newer first.
void add_bubbles(const store::Row& row, std::vector<std::string>& bubbles) {
  json::Document document;
  if (const auto answer = document.parse(row.text(3)); answer && answer.value().is_object()) {
    const json::Value result = answer.value()["result"];
    const auto parts = (result.is_object() ? result : answer.value())["parts"].items();
    const std::string text = result.is_string() ? std::string(*result.string()) : text_of(parts);
    const bool failed = row.text(4) == "error";
    const Ids ids{notified_id(row.text(6)), answer.value()["in_reply_to"].string_or("")};
    bubbles.push_back(bubble(row, failed ? "system" : "agent", ":agent", text, parts, ids));
  }
  if (const auto sent = document.parse(row.text(2)); sent && sent.value().is_object()) {
    const json::Value message = sent.value()["params"]["message"];
    const auto parts = message["parts"].items();
    const Ids ids{message["messageId"].string_or(""),
                  message["metadata"]["in_reply_to"].string_or("")};
    bubbles.push_back(bubble(row, "user", ":user", text_of(parts), parts, ids));
  }
}

}  // namespace

awaitable<Reply> get_history(Context& context, Request request) {
  const auto acting = path_workspace(request);
  if (!acting) co_return acting.error();
  std::optional<std::int64_t> before;
  if (const auto text = request.parameter("before_ts"); text && !text->empty()) {
    const auto time = parse_rfc3339(*text);
    if (!time) co_return error_reply(400, "before_ts must be an RFC3339 time");
    before = to_micros(*time);
  }
  const auto limit = static_cast<std::size_t>(read_limit(request));

  store::RowStream row = context.store.stream(
      "SELECT id, created_at, request_body, response_body, status, seq, message_id"
      " FROM activity"
      " WHERE workspace_id = $1 AND activity_type = 'a2a_receive' AND source_id IS NULL"
      " AND coalesce(method, '') NOT IN ('chat_upload_receive', 'request_update') AND ($2 IS NULL "
      "OR created_at < $2)"
      " ORDER BY seq DESC",
      *acting, before);
  std::vector<std::string> newest_first;
  std::size_t bytes = 0;
  bool reached_end = false;
  // Only whole rows: `before_ts` cannot continue a page that ends within a row.
  while (newest_first.size() < limit && bytes < max_page_bytes && !reached_end) {
    const bool more = co_await row.next();
    reached_end = !more;
    const std::size_t had = newest_first.size();
    if (!reached_end) add_bubbles(row, newest_first);
    for (std::size_t i = had; i < newest_first.size(); ++i) bytes += newest_first[i].size();
  }
  if (!reached_end) {
    const bool more = co_await row.next();
    reached_end = !more;
  }
  json::Writer writer;
  {
    auto out = writer.object();
    {
      auto messages = out.array("messages");
      std::for_each(newest_first.rbegin(), newest_first.rend(),
                    [&messages](const std::string& message) { messages.raw(message); });
    }
    out.field("reached_end", reached_end);
  }
  co_return json_reply(200, std::move(writer).take());
}

}  // namespace molecule::server

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "server/api/input.hpp"
#include "server/api/routes.hpp"

namespace molecule::server {

namespace {

constexpr int usual_limit = 50;
constexpr int largest_limit = 1000;

int read_limit(const Request& request) {
  const std::string_view text = request.parameter("limit").value_or("");
  int number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure == std::errc::result_out_of_range) return largest_limit;
  const bool whole = failure == std::errc() && end == text.data() + text.size();
  return whole && number > 0 ? std::min(number, largest_limit) : usual_limit;
}

/// The texts of the parts, one a line.
std::string text_of(const std::vector<json::Value>& parts) {
  std::string text;
  for (const json::Value part : parts) {
    const std::string_view line = part["text"].string_or("");
    if (line.empty()) continue;
    if (!text.empty()) text += '\n';
    text += line;
  }
  return text;
}

void write_attachments(json::Object& out, const std::vector<json::Value>& parts) {
  std::vector<json::Value> files;
  for (const json::Value part : parts) {
    if (part["file"].is_object()) files.push_back(part["file"]);
  }
  if (files.empty()) return;
  auto list = out.array("attachments");
  for (const json::Value file : files) {
    auto attachment = list.object();
    attachment.field("uri", file["uri"].string_or(""));
    attachment.field("name", file["name"].string_or(""));
    if (file["mimeType"].is_string()) {
      attachment.field("mimeType", file["mimeType"].string_or(""));
    }
    if (const auto size = file["size"].integer()) attachment.field("size", *size);
  }
}

/// One bubble of the chat; `suffix` tells the two of one row apart.
std::string bubble(const sqlite::Statement& row, std::string_view role, std::string_view suffix,
                   std::string_view text, const std::vector<json::Value>& parts) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("id", row.string(0).append(suffix));
    out.field("role", role);
    out.field("content", text);
    write_attachments(out, parts);
    out.field("timestamp", format_rfc3339(from_micros(row.integer(1))));
  }
  return std::move(writer).take();
}

/// What a row says (4.4): the person's message, the agent's answer, or both, the newer first.
void add_bubbles(const sqlite::Statement& row, std::vector<std::string>& bubbles) {
  json::Document document;
  if (const auto answer = document.parse(row.text(3)); answer && answer.value().is_object()) {
    const json::Value result = answer.value()["result"];
    const auto parts = (result.is_object() ? result : answer.value())["parts"].items();
    const std::string text = result.is_string() ? std::string(*result.string()) : text_of(parts);
    const bool failed = row.text(4) == "error";
    bubbles.push_back(bubble(row, failed ? "system" : "agent", ":agent", text, parts));
  }
  if (const auto sent = document.parse(row.text(2)); sent && sent.value().is_object()) {
    const auto parts = sent.value()["params"]["message"]["parts"].items();
    bubbles.push_back(bubble(row, "user", ":user", text_of(parts), parts));
  }
}

Reply get_history(Context& context, const Request& request) {
  const auto acting = acting_workspace(context, request);
  if (!acting) return acting.error();
  std::optional<std::int64_t> before;
  if (const auto text = request.parameter("before_ts"); text && !text->empty()) {
    const auto time = parse_rfc3339(*text);
    if (!time) return error_reply(400, "before_ts must be an RFC3339 time");
    before = to_micros(*time);
  }
  const auto limit = static_cast<std::size_t>(read_limit(request));

  auto row = context.database.prepare(
      "SELECT id, created_at, request_body, response_body, status FROM activity"
      " WHERE workspace_id = ?1 AND activity_type = 'a2a_receive' AND source_id IS NULL"
      " AND ifnull(method, '') != 'chat_upload_receive' AND (?2 IS NULL OR created_at < ?2)"
      " ORDER BY seq DESC");
  row.bind(*acting, before);
  std::vector<std::string> newest_first;
  std::size_t bytes = 0;
  bool reached_end = false;
  // Whole rows only: a page that began within one could not be continued by its time.
  while (newest_first.size() < limit && bytes < page_bytes && !reached_end) {
    reached_end = !row.step();
    const std::size_t had = newest_first.size();
    if (!reached_end) add_bubbles(row, newest_first);
    for (std::size_t i = had; i < newest_first.size(); ++i) bytes += newest_first[i].size();
  }
  json::Writer writer;
  {
    auto out = writer.object();
    {
      auto messages = out.array("messages");
      std::for_each(newest_first.rbegin(), newest_first.rend(),
                    [&messages](const std::string& message) { messages.raw(message); });
    }
    out.field("reached_end", reached_end || !row.step());
  }
  return json_reply(200, std::move(writer).take());
}

}  // namespace

std::vector<Route> history_routes() {
  return {{"GET", "/workspaces/:id/chat-history", get_history}};
}

}  // namespace molecule::server

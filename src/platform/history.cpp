#include "platform/history.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/json/limits.hpp"
#include "base/json/sanitized.hpp"
#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "platform/parts.hpp"

namespace molecule::platform {

namespace {

/// A body is an object, or a string that contains one (which `scratch` then owns).
json::Value body_of(json::Value body, json::Document& scratch) {
  const auto text = body.string();
  if (!text) return body;
  auto parsed = json::parse_lenient(scratch, *text);
  return parsed.ok() ? *parsed : json::Value();
}

void write_files(json::Object& message, json::Value parts) {
  const std::vector<FilePart> files = files_of_parts(parts);
  if (files.empty()) return;
  auto list = message.array("attachments");
  for (const FilePart& file : files) {
    auto one = list.object();
    one.field("name", file.name);
    if (!file.uri.empty()) one.field("uri", file.uri);
    if (!file.mime_type.empty()) one.field("mimeType", file.mime_type);
    if (file.size) one.field("size", *file.size);
  }
}

std::string bubble(json::Value row, std::string_view role, std::string_view text,
                   json::Value parts) {
  json::Writer writer;
  {
    auto message = writer.object();
    message.field("id", std::string(row["id"].string_or("")) + ":" + std::string(role));
    message.field("role", role);
    message.field("content", text);
    write_files(message, parts);
    message.field("timestamp", row["created_at"].string_or(""));
  }
  return std::move(writer).take();
}

/// The user's message of a row, the agent's answer, or both; the newer first (platform-api.md 4.4).
void add_bubbles(json::Value row, std::vector<std::string>& newest_first) {
  json::Document scratch;
  const json::Value answer = body_of(row["response_body"], scratch);
  if (answer.is_object()) {
    const json::Value result = answer["result"];
    const json::Value parts = (result.is_object() ? result : answer)["parts"];
    const std::string text =
        result.is_string() ? std::string(*result.string()) : text_of_parts(parts);
    newest_first.push_back(bubble(row, "agent", text, parts));
  }
  json::Document second;
  const json::Value sent = body_of(row["request_body"], second);
  const bool file = row["method"].string_or("") == "chat_upload_receive";
  if (sent.is_object() && !file) {
    const json::Value parts = sent["params"]["message"]["parts"];
    newest_first.push_back(bubble(row, "user", text_of_parts(parts), parts));
  }
}

/// Old platforms ignore the time that the query names.
bool is_before(json::Value row, std::string_view before_ts) {
  const auto limit = parse_rfc3339(before_ts);
  const auto created = parse_rfc3339(row["created_at"].string_or(""));
  return !limit || (created && *created < *limit);
}

}  // namespace

std::string history_of_rows(const ActivityPage& page, std::size_t limit, std::string_view before_ts,
                            bool all) {
  std::vector<std::string> newest_first;
  bool reached_end = all;
  for (const json::Value row : page.rows) {
    if (!is_before(row, before_ts)) continue;
    if (newest_first.size() >= limit) {
      reached_end = false;
      break;
    }
    add_bubbles(row, newest_first);
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
  json::Document document;
  const std::string text = std::move(writer).take();
  return document.parse(text).ok() ? json::dump_sanitized(document.root()) : text;
}

}  // namespace molecule::platform

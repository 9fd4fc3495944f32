#include "platform/parts.hpp"

#include <fmt/format.h>

#include <initializer_list>

#include "base/json/sanitized.hpp"
#include "base/text/text.hpp"

namespace molecule::platform {

namespace {

std::string_view kind_of(json::Value part) {
  return part["kind"].string_or(part["type"].string_or(""));
}

std::string_view first(std::initializer_list<json::Value> candidates) {
  for (const json::Value candidate : candidates) {
    const std::string_view text = candidate.string_or("");
    if (!text.empty()) return text;
  }
  return {};
}

bool has_value(json::Value value) {
  return value.present() && !value.is_null();
}

bool is_file(json::Value part) {
  return kind_of(part) == "file" || has_value(part["file"]) || part["url"].is_string() ||
         part["raw"].is_string();
}

/// What one part says; empty for a file.
std::string text_of(json::Value part) {
  if (const auto text = part["text"].string()) return std::string(*text);
  if (has_value(part["data"])) return json::dump_sanitized(part["data"]);
  if (is_file(part)) return {};
  const std::string kind = text::sanitize_name(kind_of(part));
  return kind.empty() || kind == "text" ? std::string() : fmt::format("(a part of kind {})", kind);
}

}  // namespace

std::string text_of_parts(json::Value parts) {
  std::string all;
  for (const json::Value part : parts.items()) {
    const std::string text = text_of(part);
    if (text.empty()) continue;
    if (!all.empty()) all += '\n';
    all += text;
  }
  return all;
}

std::vector<FilePart> files_of_parts(json::Value parts) {
  std::vector<FilePart> files;
  for (const json::Value part : parts.items()) {
    if (!is_file(part)) continue;
    const json::Value file = part["file"];
    files.push_back(
        {.uri = first({file["uri"], file["fileWithUri"], file["url"], part["url"], part["uri"]}),
         .name = first({file["name"], file["filename"], part["filename"], part["name"]}),
         .mime_type =
             first({file["mimeType"], file["mediaType"], part["mediaType"], part["mimeType"]}),
         .size = has_value(file["size"]) ? file["size"].integer() : part["size"].integer()});
  }
  return files;
}

}  // namespace molecule::platform

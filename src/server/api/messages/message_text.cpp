#include "server/api/messages/message_text.hpp"

namespace molecule::server {

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

}  // namespace molecule::server

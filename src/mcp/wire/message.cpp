#include "mcp/wire/message.hpp"

namespace molecule::mcp {

namespace {

bool usable_id(const json::Value& id) {
  return id.type() == json::Type::string || id.type() == json::Type::integer;
}

/// `id` exactly as spelled in `text`. Usually the parsed value determines the spelling; the text is
/// searched only if it could have been written in several ways (escapes, -0).
std::string spelling(std::string_view text, const json::Value& id) {
  const auto number = id.integer();
  if (number && *number != 0) return std::to_string(*number);
  const auto string = id.string();
  if (string && text.find('\\') == std::string_view::npos) {
    std::string quoted;
    quoted.reserve(string->size() + 2);
    quoted += '"';
    quoted += *string;
    quoted += '"';
    return quoted;
  }
  const auto raw = json::raw_member(text, "id");
  return raw ? std::string(*raw) : id.dump();
}

Message invalid(Message message, int code, std::string_view problem) {
  message.shape = Shape::invalid;
  message.code = code;
  message.problem = problem;
  return message;
}

}  // namespace

Message read_message(json::Document& document, std::string_view text) {
  Message message;
  const auto parsed = document.parse(text, json::Document::Padding::present);
  if (!parsed.ok()) return invalid(std::move(message), code::parse_error, "Parse error");
  const json::Value& root = *parsed;
  if (root.is_array()) {
    message.shape = Shape::batch;
    return message;
  }
  if (!root.is_object()) {
    return invalid(std::move(message), code::invalid_request, "A message must be an object");
  }
  const json::Value id = root["id"];
  if (usable_id(id)) {
    message.id = spelling(text, id);
    message.id_value = id;
  }
  if (root["jsonrpc"].string_or({}) != "2.0") {
    return invalid(std::move(message), code::invalid_request, "`jsonrpc` must be \"2.0\"");
  }
  const json::Value method = root["method"];
  if (!method.present()) {
    const bool answer = root["result"].present() || root["error"].present();
    if (!answer) return invalid(std::move(message), code::invalid_request, "`method` is missing");
    message.shape = Shape::response;
    message.result = root["result"];
    message.error = root["error"];
    return message;
  }
  if (!method.is_string()) {
    return invalid(std::move(message), code::invalid_request, "`method` must be a string");
  }
  if (id.present() && !usable_id(id)) {
    return invalid(std::move(message), code::invalid_request,
                   "`id` must be a string or an integer");
  }
  message.shape = id.present() ? Shape::request : Shape::notification;
  message.method = method.string_or({});
  message.params = root["params"];
  return message;
}

std::string id_key(const json::Value& id) {
  if (const auto text = id.string()) return '"' + std::string(*text);
  if (id.type() == json::Type::integer) return id.dump();
  return {};
}

std::vector<std::string_view> split_array(std::string_view text) {
  std::vector<std::string_view> elements;
  const std::size_t open = text.find('[');
  const std::size_t close = text.rfind(']');
  if (open == std::string_view::npos || close <= open) return elements;
  const std::string_view inside = text.substr(open + 1, close - open - 1);
  if (inside.find_first_not_of(" \t\r\n") == std::string_view::npos) return elements;
  std::size_t depth = 0;
  std::size_t start = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    const char c = inside[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth == 0) {
      elements.push_back(inside.substr(start, i - start));
      start = i + 1;
    }
  }
  elements.push_back(inside.substr(start));
  return elements;
}

}  // namespace molecule::mcp

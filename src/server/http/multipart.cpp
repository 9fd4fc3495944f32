#include "server/http/multipart.hpp"

#include <algorithm>

#include "base/text/text.hpp"

namespace molecule::server {

namespace {

constexpr std::size_t max_boundary_bytes = 70;  // RFC 2046 5.1.1
constexpr std::size_t max_part_head_bytes = 8192;

/// Removes the next item, up to an unquoted semicolon, from `rest`.
std::string_view take_item(std::string_view& rest) {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < rest.size() && (quoted || rest[at] != ';'); ++at) {
    if (rest[at] == '"') quoted = !quoted;
    if (quoted && rest[at] == '\\') ++at;
  }
  const std::string_view item = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return text::trim(item);
}

std::string unquote(std::string_view value) {
  if (!value.starts_with('"')) return std::string(value);
  std::string plain;
  for (std::size_t at = 1; at < value.size() && value[at] != '"'; ++at) {
    if (value[at] == '\\' && at + 1 < value.size()) ++at;
    plain += value[at];
  }
  return plain;
}

/// False for a malformed head.
bool read_head(std::string_view head, FormPart& part) {
  while (!head.empty()) {
    const std::size_t end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return false;
    const std::string_view value = text::trim(line.substr(colon + 1));
    if (text::equal_ignoring_case(line.substr(0, colon), "Content-Disposition")) {
      part.name = field_parameter(value, "name").value_or("");
      part.filename = field_parameter(value, "filename");
    } else if (text::equal_ignoring_case(line.substr(0, colon), "Content-Type")) {
      part.content_type = value;
    }
  }
  return true;
}

std::optional<FormPart> read_part(std::string_view text) {
  FormPart part;
  // Without fields the head is just the empty line.
  if (text.starts_with("\r\n")) {
    part.content = text.substr(2);
    return part;
  }
  const std::size_t end = text.substr(0, max_part_head_bytes).find("\r\n\r\n");
  if (end == std::string_view::npos || !read_head(text.substr(0, end), part)) return std::nullopt;
  part.content = text.substr(end + 4);
  return part;
}

}  // namespace

std::optional<std::string> field_parameter(std::string_view field, std::string_view parameter) {
  take_item(field);
  while (!field.empty()) {
    const std::string_view item = take_item(field);
    const std::size_t sign = std::min(item.find('='), item.size());
    if (!text::equal_ignoring_case(text::trim(item.substr(0, sign)), parameter)) continue;
    return unquote(text::trim(item.substr(std::min(sign + 1, item.size()))));
  }
  return std::nullopt;
}

std::optional<std::vector<FormPart>> parse_form(std::string_view content_type,
                                                std::string_view body, std::size_t max_parts) {
  std::string_view rest = content_type;
  const std::string boundary = field_parameter(content_type, "boundary").value_or("");
  if (!text::equal_ignoring_case(take_item(rest), "multipart/form-data") || boundary.empty() ||
      boundary.size() > max_boundary_bytes) {
    return std::nullopt;
  }
  const std::string separator = "\r\n--" + boundary;
  if (body.starts_with(std::string_view(separator).substr(2))) {
    body.remove_prefix(separator.size() - 2);
  } else {
    const std::size_t first = body.find(separator);
    if (first == std::string_view::npos) return std::nullopt;
    body.remove_prefix(first + separator.size());
  }
  std::vector<FormPart> parts;
  while (!body.starts_with("--") && parts.size() <= max_parts) {
    // White space may follow a boundary on its line.
    const std::size_t line = body.find_first_not_of(" \t");
    if (line == std::string_view::npos || !body.substr(line).starts_with("\r\n")) {
      return std::nullopt;
    }
    body.remove_prefix(line + 2);
    const std::size_t end = body.find(separator);
    if (end == std::string_view::npos) return std::nullopt;
    std::optional<FormPart> part = read_part(body.substr(0, end));
    if (!part) return std::nullopt;
    parts.push_back(*std::move(part));
    body.remove_prefix(end + separator.size());
  }
  return parts;
}

}  // namespace molecule::server

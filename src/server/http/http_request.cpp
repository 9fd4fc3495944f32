#include "server/http/http_request.hpp"

#include <algorithm>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"

namespace molecule::server {

namespace {

/// In a path '+' is a literal plus sign; the shared decoder reads it as a space, as in forms.
std::string decode_path(std::string_view path) {
  std::string kept;
  for (const char c : path) {
    if (c == '+') {
      kept += "%2B";
    } else {
      kept += c;
    }
  }
  return text::percent_decode(kept);
}

}  // namespace

std::optional<Target> parse_target(std::string_view target) {
  if (!target.starts_with('/')) return std::nullopt;
  target = target.substr(0, target.find('#'));
  const std::size_t path_end = std::min(target.find('?'), target.size());
  Target parsed;
  parsed.path = decode_path(target.substr(0, path_end));
  std::string_view rest = target.substr(path_end);
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view item = rest.substr(0, rest.find('&'));
    rest.remove_prefix(item.size());
    const std::size_t name_end = std::min(item.find('='), item.size());
    if (name_end == 0) continue;
    const std::string_view value = item.substr(std::min(name_end + 1, item.size()));
    parsed.query.emplace(text::percent_decode(item.substr(0, name_end)),
                         text::percent_decode(value));
  }
  return parsed;
}

Reply body_too_large(std::uint64_t max_bytes) {
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("error", "request body too large");
    reply.field("truncated", true);
    reply.field("max_bytes", max_bytes);
  }
  return json_reply(413, std::move(writer).take());
}

std::optional<std::string> offered_bearer(const Request& request) {
  constexpr std::string_view mark = "bearer.";
  const std::string_view offered = request.header("Sec-WebSocket-Protocol").value_or("");
  for (const std::string& item : text::split_list(offered, ',')) {
    if (item.starts_with(mark)) return item.substr(mark.size());
  }
  return std::nullopt;
}

}  // namespace molecule::server

#include "server/http/http_request.hpp"

#include <algorithm>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"

namespace molecule::server {

namespace {

/// Of `http://` and `https://`; 0 for any other beginning.
std::size_t scheme_size(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (text::equal_ignoring_case(target.substr(0, scheme.size()), scheme)) return scheme.size();
  }
  return 0;
}

}  // namespace

std::optional<Target> parse_target(std::string_view target) {
  Target parsed;
  if (target == "*") {
    parsed.path = target;
    return parsed;
  }
  if (const std::size_t scheme = scheme_size(target); scheme > 0) {
    target.remove_prefix(scheme);
    const std::string_view host = target.substr(0, target.find_first_of("/?#"));
    target.remove_prefix(host.size());
    if (host.empty() || host.find('@') != std::string_view::npos) return std::nullopt;
    parsed.host = host;
  }
  if (!target.starts_with('/') && !(parsed.host && (target.empty() || target[0] == '?'))) {
    return std::nullopt;
  }
  target = target.substr(0, target.find('#'));
  const std::size_t path_end = std::min(target.find('?'), target.size());
  parsed.path = path_end > 0 ? target.substr(0, path_end) : "/";
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

std::string_view prefix_of(std::string_view url) {
  url.remove_prefix(scheme_size(url));
  std::string_view path = url.substr(std::min(url.find('/'), url.size()));
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

void remove_prefix(std::string& path, std::string_view prefix) {
  const bool inside =
      !prefix.empty() && path.starts_with(prefix) && path.substr(prefix.size()).starts_with('/');
  if (inside) path.erase(0, prefix.size());
}

std::optional<Reply> prefix_redirect(const Request& request, std::string_view prefix) {
  const bool reading = request.method == "GET" || request.method == "HEAD";
  if (prefix.empty() || request.path != prefix || !reading) return std::nullopt;
  Reply reply = text_reply(301, "");
  reply.headers.emplace_back("Location", std::string(prefix.substr(prefix.rfind('/') + 1)) + '/');
  return reply;
}

std::string decode_segment(std::string_view segment) {
  // The shared decoder reads a plus sign as a space, as in forms.
  std::string kept;
  for (const char c : segment) {
    if (c == '+') {
      kept += "%2B";
    } else {
      kept += c;
    }
  }
  return text::percent_decode(kept);
}

void set_host(Request& request, const std::string& host) {
  for (auto& [name, value] : request.headers) {
    if (text::equal_ignoring_case(name, "Host")) value = host;
  }
}

Reply answer_asterisk(const Request& request) {
  if (request.method != "OPTIONS") return error_reply(400, "malformed HTTP request");
  Reply reply = text_reply(204, "");
  reply.headers.emplace_back("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  return reply;
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

Reply too_busy(std::string_view text) {
  Reply reply = error_reply(503, text);
  reply.headers.emplace_back("Retry-After", "5");
  return reply;
}

}  // namespace molecule::server

#include "server/http/http_gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"

namespace molecule::server {

namespace {

bool has_blank_name(const Request& request) {
  return std::any_of(request.headers.begin(), request.headers.end(), [](const auto& field) {
    return field.first.empty() || field.first.find_first_of(" \t") != std::string::npos;
  });
}

/// The code says to programs that it is the address, not the token, which is refused.
Reply forbidden(std::string_view code, std::string_view text) {
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("error", text);
    reply.field("code", code);
  }
  return json_reply(403, std::move(writer).take());
}

bool is_external(const GateRules& rules, std::string_view host) {
  const std::string origin = origin_of(rules.external_url);
  return !origin.empty() && host_name(origin.substr(origin.find("//") + 2)) == host;
}

bool is_listed(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

/// The request's Origin, where it is another site's.
std::optional<std::string_view> foreign_origin(const GateRules& rules, const Request& request) {
  const std::optional<std::string_view> origin = request.header("Origin");
  if (!origin) return std::nullopt;
  const std::string host(request.header("Host").value_or(""));
  for (const std::string& own :
       {origin_of("http://" + host), origin_of("https://" + host), origin_of(rules.external_url)}) {
    if (!own.empty() && *origin == own) return std::nullopt;
  }
  return origin;
}

}  // namespace

std::string origin_of(std::string_view url) {
  std::string origin = text::lower(url.substr(0, url.find('/', url.find("//") + 2)));
  for (const auto& [scheme, port] : {std::pair("http://", ":80"), std::pair("https://", ":443")}) {
    if (!origin.starts_with(scheme)) continue;
    if (!host_name(origin.substr(std::string_view(scheme).size()))) return {};
    if (origin.ends_with(port)) origin.resize(origin.size() - std::string_view(port).size());
    return origin;
  }
  return {};
}

std::optional<std::string> host_name(std::string_view host) {
  const bool bracketed = host.starts_with('[');
  const std::size_t name_end =
      bracketed ? host.find(']') + 1 : std::min(host.find(':'), host.size());
  if (name_end == 0) return std::nullopt;
  const std::string_view port = host.substr(name_end);
  if (!port.empty()) {
    const std::string_view digits = port.substr(1);
    const bool numeric =
        std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!port.starts_with(':') || digits.empty() || digits.size() > 5 || !numeric) {
      return std::nullopt;
    }
  }
  return text::lower(host.substr(0, name_end));
}

std::optional<Reply> check_gate(const GateRules& rules, const Request& request) {
  const auto hosts = std::count_if(
      request.headers.begin(), request.headers.end(),
      [](const auto& field) { return text::equal_ignoring_case(field.first, "Host"); });
  if (hosts != 1 || has_blank_name(request)) return error_reply(400, "malformed HTTP request");
  const std::optional<std::string> host = host_name(*request.header("Host"));
  if (!host) return error_reply(400, "malformed HTTP request");
  if (*host != "127.0.0.1" && *host != "localhost" && *host != "[::1]" &&
      !is_listed(rules.hosts, *host) && !is_external(rules, *host)) {
    return forbidden("host_not_allowed",
                     "this host name is not served here (see --allow-host and "
                     "EXTERNAL_PLATFORM_URL)");
  }
  const std::optional<std::string_view> origin = foreign_origin(rules, request);
  if (!origin) return std::nullopt;
  if (!is_listed(rules.origins, *origin)) {
    return forbidden("origin_not_allowed",
                     "pages of this origin may not use the platform (see CORS_ORIGINS and "
                     "EXTERNAL_PLATFORM_URL)");
  }
  if (request.method != "OPTIONS") return std::nullopt;
  Reply preflight = text_reply(204, "");
  preflight.headers.emplace_back("Access-Control-Allow-Methods",
                                 "GET,POST,PUT,PATCH,DELETE,OPTIONS");
  preflight.headers.emplace_back("Access-Control-Allow-Headers",
                                 "Origin,Content-Type,X-Workspace-ID,Authorization,X-Confirm-Name,"
                                 "X-Molecule-Org-Id,X-Molecule-Org-Slug");
  preflight.headers.emplace_back("Access-Control-Max-Age", "600");
  return preflight;
}

void add_common_headers(const GateRules& rules, const Request& request, Reply& reply) {
  auto& headers = reply.headers;
  headers.emplace_back("X-Content-Type-Options", "nosniff");
  headers.emplace_back("X-Frame-Options", "DENY");
  headers.emplace_back("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
  headers.emplace_back("Referrer-Policy", "strict-origin-when-cross-origin");
  headers.emplace_back("Permissions-Policy", "camera=(), microphone=(), geolocation=()");
  headers.emplace_back("Content-Security-Policy",
                       reply.policy == ContentPolicy::api
                           ? "default-src 'self'"
                           : "default-src 'none'; script-src 'self'; style-src 'self'; "
                             "font-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
                             "manifest-src 'self'; base-uri 'none'; form-action 'self'; "
                             "frame-ancestors 'none'");
  const std::optional<std::string_view> origin = foreign_origin(rules, request);
  if (!origin || !is_listed(rules.origins, *origin)) return;
  headers.emplace_back("Access-Control-Allow-Origin", *origin);
  headers.emplace_back("Access-Control-Allow-Credentials", "true");
  headers.emplace_back("Vary", "Origin");
}

std::string closing_answer(const Reply& reply) {
  std::string out = fmt::format(
      "HTTP/1.1 {} {}\r\nConnection: close\r\nContent-Length: {}\r\nContent-Type: {}\r\n",
      reply.status, reason_of(reply.status), reply.body.size(), reply.content_type);
  for (const auto& [name, value] : reply.headers) out += fmt::format("{}: {}\r\n", name, value);
  return out + "\r\n" + reply.body;
}

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 413:
      return "Payload Too Large";
    case 422:
      return "Unprocessable Entity";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    default:
      return "Unknown";
  }
}

}  // namespace molecule::server

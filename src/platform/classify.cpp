#include "platform/classify.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "base/json/limits.hpp"
#include "base/text/redact.hpp"
#include "base/text/text.hpp"

namespace molecule::platform {

namespace {

Errc transport_code(net::HttpErrc code) {
  switch (code) {
    case net::HttpErrc::timeout:
      return Errc::timeout;
    case net::HttpErrc::connection_lost:
      return Errc::connection_lost;
    case net::HttpErrc::too_large:
      return Errc::too_large;
    case net::HttpErrc::unreadable_file:
    case net::HttpErrc::unwritable_file:
      return Errc::rejected;
    case net::HttpErrc::bad_url:
    case net::HttpErrc::cannot_resolve:
    case net::HttpErrc::cannot_connect:
    case net::HttpErrc::tls:
    case net::HttpErrc::connect_timeout:
    case net::HttpErrc::other:
      break;
  }
  return Errc::unreachable;
}

Errc status_code(int status) {
  switch (status) {
    case 401:
      return Errc::unauthorized;
    case 402:
      return Errc::payment_required;
    case 403:
      return Errc::forbidden;
    case 404:
      return Errc::not_found;
    case 409:
      return Errc::conflict;
    case 410:
      return Errc::gone;
    case 413:
      return Errc::too_large;
    case 429:
      return Errc::rate_limited;
    default:
      return status >= 500 ? Errc::server_error : Errc::rejected;
  }
}

bool is_html(const net::HttpResponse& response) {
  // A leading '<' is never JSON, whatever the Content-Type says.
  if (text::trim(response.body).starts_with('<')) return true;
  return text::lower(response.header("Content-Type").value_or("")).find("html") !=
         std::string::npos;
}

bool claims_json(const net::HttpResponse& response) {
  const std::string type = text::lower(response.header("Content-Type").value_or(""));
  const std::string_view body = text::trim(response.body);
  return type.find("json") != std::string::npos || body.starts_with('{') || body.starts_with('[');
}

/// The server's own explanation of its refusal; empty if it gave none.
std::string stated_reason(const Site& site, const net::HttpResponse& response, json::Value body) {
  for (const json::Value reason : {body["error"], body["error"]["message"], body["message"]}) {
    if (reason.is_string()) return foreign_line(site, reason.string_or(""));
  }
  if (is_html(response) || claims_json(response)) return {};
  return foreign_line(site, response.body, 100);
}

/// What a status without an explanation means on this platform (platform-api.md 0.5, 0.8).
std::string_view likely_reason(int status) {
  switch (status) {
    case 403:
      return "no reason given; usually the Host or Origin is not the platform's own address, "
             "because PLATFORM_URL is another one or a proxy changes it";
    case 404:
      return "no reason given; usually a missing or wrong organisation id";
    default:
      return "no reason given";
  }
}

/// The origin of the response, with the proxy, which may have made it.
std::string place(const Site& site, const net::HttpResponse& response) {
  if (response.proxy.empty()) return site.origin;
  return fmt::format("{} through the proxy {}", site.origin, response.proxy);
}

Error not_the_platform(const Site& site, const net::HttpResponse& response) {
  Error error;
  error.code = Errc::not_the_platform;
  error.status = response.status;
  error.message = fmt::format(
      "{} at {} answered {} with {}, which is not from a Molecule platform: check the URL, the "
      "Origin header and the organisation id",
      site.call, place(site, response), response.status,
      is_html(response) ? "an HTML page" : "text that is not JSON");
  return error;
}

/// A 403 that is about the address by which the platform was called, or from something in front of
/// it, not about the token: the platform's own refusals are JSON (platform-api.md 0.5).
bool refuses_address(int status, json::Value body) {
  if (status != 403) return false;
  const std::string_view code = body["code"].string_or("");
  const bool foreign = !body.is_object() || (body["message"].present() && !body["error"].present());
  return foreign || code == "host_not_allowed" || code == "origin_not_allowed";
}

/// How a router answers for a path that it does not have.
bool is_unknown_route(const net::HttpResponse& response) {
  return response.status == 404 && text::trim(response.body) == "404 page not found";
}

/// What a platform of before that call lacks; empty for calls that every platform has.
std::string_view later_feature(std::string_view call) {
  using Feature = std::pair<std::string_view, std::string_view>;
  static constexpr std::array features{
      Feature("/chat-history", "chat history"),
      Feature("/activity/ack", "acknowledgements"),
      Feature("/broadcast", "broadcasts"),
      Feature("/uploads/limits", "report of its upload limits"),
      Feature("/pending-uploads/", "files for workspaces that poll"),
      Feature("/events/stream", "event stream"),
      Feature("/requests", "requests"),
  };
  const auto found = std::ranges::find_if(features, [call](const Feature& feature) {
    return call.find(feature.first) != std::string_view::npos;
  });
  return found == features.end() ? std::string_view() : found->second;
}

/// The error for a path that the platform does not have.
Error unknown_route(const Site& site, const net::HttpResponse& response) {
  Error error;
  error.status = response.status;
  error.explained = true;
  const std::string_view feature = later_feature(site.call);
  error.older_platform = !feature.empty();
  error.code = error.older_platform ? Errc::not_found : Errc::not_the_platform;
  const std::string cause =
      error.older_platform
          ? fmt::format("this platform is older and has no {}", feature)
          : std::string(
                "every platform has this call, so PLATFORM_URL is not the platform's own "
                "address (is its path right?)");
  error.message = fmt::format("{} at {} answered {}: {}", site.call, place(site, response),
                              response.status, cause);
  return error;
}

Error refusal(const Site& site, const net::HttpResponse& response, json::Value body) {
  if (is_unknown_route(response)) return unknown_route(site, response);
  Error error;
  error.code = refuses_address(response.status, body) ? Errc::not_the_platform
                                                      : status_code(response.status);
  error.status = response.status;
  error.hint = foreign_line(site, body["hint"].string_or(""));
  error.removed_at = foreign_line(site, body["removed_at"].string_or(""), 64);
  error.retry_after = retry_after(response, body);
  std::string reason = stated_reason(site, response, body);
  if (reason.empty() && response.status >= 300 && response.status < 400) {
    reason = fmt::format(
        "a redirect to {}, which is never followed",
        foreign_line(site, response.header("Location").value_or("an unknown address"), 200));
  }
  error.explained = !reason.empty();
  if (reason.empty()) reason = likely_reason(response.status);
  error.message = fmt::format("{} at {} answered {}: {}", site.call, place(site, response),
                              response.status, reason);
  return error;
}

std::chrono::seconds limited(std::int64_t seconds) {
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 86'400));
}

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view text) {
  const std::string copy(text::trim(text));
  tm fields{};
  const char* end = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &fields);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return std::chrono::system_clock::from_time_t(::timegm(&fields));
}

std::string foreign_line(const Site& site, std::string_view text, std::size_t characters) {
  // Sanitise first and cut last, so that neither step leaves a token or a part of one.
  const std::string line = hide_secret(text::one_line(text), site.secret);
  return std::string(text::trim(text::prefix_characters(text::trim(line), characters)));
}

std::optional<std::chrono::seconds> retry_after(const net::HttpResponse& response,
                                                json::Value body) {
  if (const auto field = response.header("Retry-After")) {
    const std::string_view value = text::trim(*field);
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (error == std::errc() && end == value.data() + value.size()) return limited(seconds);
    const auto date = parse_http_date(value);
    const auto now = parse_http_date(response.header("Date").value_or(""));
    if (date && now) return limited(duration_cast<std::chrono::seconds>(*date - *now).count());
  }
  if (const auto seconds = body["retry_after"].integer()) return limited(*seconds);
  return std::nullopt;
}

Error malformed(const Site& site) {
  Error error;
  error.code = Errc::malformed;
  error.status = 200;
  error.message = fmt::format("{} at {} returned JSON that does not match the platform's API",
                              site.call, site.origin);
  return error;
}

Error kept_back(const Site& site, std::int64_t limit, std::chrono::seconds wait) {
  Error error;
  error.code = Errc::rate_limited;
  error.explained = true;
  error.retry_after = wait;
  error.message = fmt::format(
      "{} was not sent: the platform allows {} calls in a while, and the last ones are kept for "
      "staying online",
      site.call, limit);
  return error;
}

Error transport_error(const Site& site, const net::HttpError& failure) {
  Error error;
  error.code = transport_code(failure.code);
  error.transport = failure.code;
  error.message = fmt::format("{}: {}", site.call, foreign_line(site, failure.message));
  // Repeating a read is harmless.
  error.may_have_arrived = failure.may_have_arrived && !site.call.starts_with("GET ");
  return error;
}

Error refused_stream(const Site& site, Result<net::HttpResponse, net::HttpError> exchange) {
  if (exchange && exchange->status >= 200 && exchange->status < 300) {
    return not_the_platform(site, *exchange);
  }
  Outcome<json::Document> refused = classify(site, std::move(exchange));
  return refused ? malformed(site) : std::move(refused.error());
}

Outcome<json::Document> classify(const Site& site,
                                 Result<net::HttpResponse, net::HttpError> exchange) {
  if (!exchange) {
    net::HttpResponse cut;
    cut.status = 200;
    cut.headers.push_back({"Content-Type", exchange.error().content_type});
    if (site.refuses_pages && is_html(cut)) return Failure{not_the_platform(site, cut)};
    return Failure{transport_error(site, exchange.error())};
  }
  const net::HttpResponse& response = *exchange;
  json::Document document;
  const bool empty = text::trim(response.body).empty();
  const bool parsed = !empty && json::parse_lenient(document, response.body).ok();
  const int status = response.status;
  if (status >= 200 && status < 300) {
    if (site.refuses_pages && is_html(response)) return Failure{not_the_platform(site, response)};
    if (parsed || empty) return document;
    if (claims_json(response) && !is_html(response)) return Failure{malformed(site)};
    return Failure{not_the_platform(site, response)};
  }
  const bool may_be_proxy = status == 413 || status == 429 || status >= 500 || status < 400;
  if (!parsed && !may_be_proxy && is_html(response)) {
    return Failure{not_the_platform(site, response)};
  }
  return Failure{refusal(site, response, document.root())};
}

}  // namespace molecule::platform

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/json/reader.hpp"
#include "base/text/time.hpp"
#include "net/http_client.hpp"
#include "platform/error.hpp"

namespace molecule::platform {

/// Which call an error text speaks of.
struct Site {
  /// Method and path without the query: `GET /workspaces/…`.
  std::string call;
  /// Scheme, host and port.
  std::string origin;
  /// The token that was sent: never repeated in a text, even if the server echoes it.
  std::string secret;
  /// The body of a 2xx is not at hand, and is no web page: its type alone must tell.
  bool refuses_pages = false;
};

/// The one place where an exchange becomes a parsed body or an `Error`. A 2xx with JSON is a
/// body (absent root for an empty one); everything else is an error of the kind that
/// error.hpp lists. An HTML page is never the platform's, whatever its status, except that 413,
/// 429 and 5xx keep their meaning: there an edge speaks for the platform.
Outcome<json::Document> classify(const Site& site,
                                 Result<net::HttpResponse, net::HttpError> exchange);

/// A time of HTTP (RFC 9110 5.6.7) in the one form that servers send, IMF-fixdate.
std::optional<WallTime> parse_http_date(std::string_view text);

/// An answer whose JSON has another shape than the API's.
Error malformed(const Site& site);

/// Text of the server made fit for one line: sanitised, without the token, at most `characters`.
std::string foreign_line(const Site& site, std::string_view text, std::size_t characters = 300);

/// `Retry-After` in seconds or as a date (read against the answer's own `Date`, so that no two
/// clocks are compared), else `retry_after` of the body; at most a day.
std::optional<std::chrono::seconds> retry_after(const net::HttpResponse& response,
                                                json::Value body);

}  // namespace molecule::platform

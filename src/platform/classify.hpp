#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json/reader.hpp"
#include "base/text/time.hpp"
#include "net/http_client.hpp"
#include "platform/error.hpp"

namespace molecule::platform {

/// The call that an error text is about.
struct Site {
  /// Method and path without the query: `GET /workspaces/…`.
  std::string call;
  /// Scheme, host and port.
  std::string origin;
  /// The token that was sent. Removed from every text, even if the server echoes it.
  std::string secret;
  /// The body of a 2xx was written to a file, so a web page must be recognised by its type alone.
  bool refuses_pages = false;
};

/// Turns an HTTP exchange into a parsed body or an `Error`; the only place that does. A 2xx with
/// JSON is a body (absent root if empty); everything else is an error as listed in error.hpp. An
/// HTML page never comes from the platform, whatever its status, but 413, 429 and 5xx keep their
/// meaning: a proxy sends them on the platform's behalf.
Outcome<json::Document> classify(const Site& site,
                                 Result<net::HttpResponse, net::HttpError> exchange);

/// Parses an HTTP date (RFC 9110 5.6.7) in the form that servers must send, IMF-fixdate.
std::optional<WallTime> parse_http_date(std::string_view text);

/// The error for JSON that does not match the API.
Error malformed(const Site& site);

/// The error for a call that is not made now, since the rest of the platform's limit is kept for
/// staying online.
Error kept_back(const Site& site, std::int64_t limit, std::chrono::seconds wait);

/// Makes server text safe for one line: sanitised, without the token, at most `characters` long.
std::string foreign_line(const Site& site, std::string_view text, std::size_t max_characters = 300);

/// `Retry-After` in seconds or as a date (relative to the response's own `Date`, so that clock
/// differences do not matter), else `retry_after` from the body. Clamped to 0…86,400 s.
std::optional<std::chrono::seconds> retry_after(const net::HttpResponse& response,
                                                json::Value body);

}  // namespace molecule::platform

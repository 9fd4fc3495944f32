#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "net/http_client.hpp"

namespace molecule::platform {

enum class Errc {
  unreachable,       ///< no connection: DNS, TCP or TLS failed
  timeout,           ///< connected, but no complete response in time
  connection_lost,   ///< closed or reset before the response was complete
  unauthorized,      ///< 401
  payment_required,  ///< 402: the budget is used up
  forbidden,         ///< 403
  not_found,         ///< 404
  conflict,          ///< 409
  gone,              ///< 410: the workspace was removed, or the cursor no longer exists
  too_large,         ///< 413, or a response over the client's own limit
  rate_limited,      ///< 429
  rejected,          ///< any other 4xx, and 3xx (redirects are not followed)
  server_error,      ///< 5xx
  not_the_platform,  ///< not JSON: a proxy's HTML page, or a wrong URL
  malformed          ///< JSON that does not match the API
};

/// Why a call failed. Created only by `classify`.
struct Error {
  Errc code = Errc::malformed;
  /// The HTTP status; 0 if there was no response.
  int status = 0;
  /// Why the exchange failed; set only if there was no response.
  std::optional<net::HttpErrc> transport;
  /// True if the platform stated a reason.
  bool explained = false;
  /// True if the platform is older and has no such call: the same call fails again.
  bool older_platform = false;
  /// True if it is a 401 although the platform has accepted a token of this process before.
  bool token_worked = false;
  /// One line: what failed, in which call, and the platform's own `error` text (sanitised and cut).
  /// Never contains a token.
  std::string message;
  /// `hint` from the platform's error object, sanitised.
  std::string hint;
  /// When the workspace was removed; set only for `Errc::gone`.
  std::string removed_at;
  std::optional<std::chrono::seconds> retry_after;
  /// True if the request may have been processed even though no response arrived.
  bool may_have_arrived = false;
};

template <class T>
using Outcome = Result<T, Error>;

}  // namespace molecule::platform

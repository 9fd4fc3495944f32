#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "net/http_client.hpp"

namespace molecule::platform {

enum class Errc {
  unreachable,       ///< no connection: name, connect, TLS
  timeout,           ///< connected, no complete answer in time
  connection_lost,   ///< closed or reset before the answer was complete
  unauthorized,      ///< 401
  payment_required,  ///< 402: budget
  forbidden,         ///< 403
  not_found,         ///< 404
  conflict,          ///< 409
  gone,              ///< 410: workspace removed, or a cursor that is not there any more
  too_large,         ///< 413, or an answer over our cap
  rate_limited,      ///< 429
  rejected,          ///< any other 4xx, and 3xx (redirects are not followed)
  server_error,      ///< 5xx
  not_the_platform,  ///< an answer that is not JSON: an HTML page of an edge or a wrong URL
  malformed          ///< JSON of another shape than the API's
};

/// Why a call gave no value; made in one place (`classify`).
struct Error {
  Errc code = Errc::malformed;
  /// The HTTP status; 0 without an answer.
  int status = 0;
  /// Where there was no answer: what the exchange failed of.
  std::optional<net::HttpErrc> transport;
  /// The platform gave a reason of its own with its refusal.
  bool explained = false;
  /// One line: what failed, on which call, and the platform's own `error` text (sanitised, cut).
  /// Never a token.
  std::string message;
  /// `hint` of the platform's error object, sanitised.
  std::string hint;
  /// For `gone` of a workspace.
  std::string removed_at;
  std::optional<std::chrono::seconds> retry_after;
  /// The request may have been carried out although there was no answer.
  bool may_have_arrived = false;
};

template <class T>
using Outcome = Result<T, Error>;

}  // namespace molecule::platform

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/message.hpp"

namespace molecule::server {

/// A request's target (RFC 9112 3.2.1), split and percent-decoded.
struct Target {
  std::string path;
  /// Of a target that is a whole URL, as a proxy sends it: the host and port in it.
  std::optional<std::string> host = std::nullopt;
  /// Of a repeated name the first value.
  std::map<std::string, std::string> query;
};

/// Nothing for a target that is neither a path, nor a whole URL of HTTP, nor `*` (whose path is
/// `*`).
std::optional<Target> parse_target(std::string_view target);

/// Puts the host of a whole URL in the place of the Host field (RFC 9112 3.2.2).
void set_host(Request& request, const std::string& host);

/// The answer to `OPTIONS *` (RFC 9110 9.3.7): what the server as a whole can do.
Reply answer_asterisk(const Request& request);

/// The 413 of platform-api.md 10.
Reply body_too_large(std::uint64_t most_bytes);

/// 503 with Retry-After: there is no room for this now.
Reply too_busy(std::string_view text);

/// The subprotocol by which a browser, which cannot set fields, hands over its token on a
/// WebSocket: an item `bearer.<token>` of Sec-WebSocket-Protocol.
std::optional<std::string> offered_bearer(const Request& request);

}  // namespace molecule::server

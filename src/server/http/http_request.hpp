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
  /// The first value of a repeated name.
  std::map<std::string, std::string> query;
};

/// Empty for a target that is not a path (an absolute URL, an authority, `*`).
std::optional<Target> parse_target(std::string_view target);

/// The 413 of platform-api.md 10.
Reply body_too_large(std::uint64_t max_bytes);

/// The token that a browser sends as a WebSocket subprotocol, because it cannot set header fields
/// there: an item `bearer.<token>` of Sec-WebSocket-Protocol.
std::optional<std::string> offered_bearer(const Request& request);

}  // namespace molecule::server

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/message.hpp"

namespace molecule::server {

/// A request's target (RFC 9112 3.2.1), split; the query is percent-decoded.
struct Target {
  /// As it was sent: a segment may contain an encoded slash, so only segments can be decoded.
  std::string path;
  /// The host and port of an absolute URL, which proxies send.
  std::optional<std::string> host = std::nullopt;
  /// The first value of a repeated name.
  std::map<std::string, std::string> query;
};

/// Empty for a target that is neither a path, nor an absolute http or https URL, nor `*` (whose
/// path is `*`).
std::optional<Target> parse_target(std::string_view target);

/// The path of the URL under which a proxy publishes the platform, without a slash at its end:
/// `/agents` of `https://example.org/agents`, and mostly nothing.
std::string_view prefix_of(std::string_view url);

/// Takes that prefix from a request's path (platform-operation.md 1.2). Some proxies have done so
/// already; others pass paths on as they came, which keeps encoded slashes.
void remove_prefix(std::string& path, std::string_view prefix);

/// The answer to a request for the prefix itself: the page's own files are relative to the slash
/// that is missing at its end. Nothing for any other path.
std::optional<Reply> prefix_redirect(const Request& request, std::string_view prefix);

/// Percent-decodes a segment of a path, in which '+' is a plus sign.
std::string decode_segment(std::string_view segment);

/// Puts the host of a whole URL in the place of the Host field (RFC 9112 3.2.2).
void set_host(Request& request, const std::string& host);

/// The answer to `OPTIONS *` (RFC 9110 9.3.7): what the server as a whole can do.
Reply answer_asterisk(const Request& request);

/// The 413 of platform-api.md 10.
Reply body_too_large(std::uint64_t max_bytes);

/// 503 with Retry-After: there is no capacity for this now.
Reply too_busy(std::string_view text);

}  // namespace molecule::server

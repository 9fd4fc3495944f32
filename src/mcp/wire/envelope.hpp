#pragma once

#include <optional>
#include <string_view>

#include "base/json/reader.hpp"
#include "base/result.hpp"
#include "mcp/revision.hpp"
#include "mcp/wire/encode.hpp"
#include "mcp/wire/message.hpp"
#include "molecule/mcp/content.hpp"

namespace molecule::mcp {

/// The requests from the server that the host can answer.
struct HostCapabilities {
  bool elicitation = false;
  bool sampling = false;
  bool roots = false;
  bool has(std::string_view name) const;
};
HostCapabilities read_capabilities(json::Value capabilities);

/// The terms a request is served under: from its `_meta` in the stateless revision, from
/// `initialize` before that.
struct Envelope {
  Revision revision = newest_negotiated;
  HostCapabilities host;
  /// Stateless revision only: if unset, the request gets no log messages.
  std::optional<LogLevel> log_level = std::nullopt;
};

/// The version in the request's `_meta`; absent before the stateless revision.
json::Value version_member(const Message& message);
/// `clientInfo.name` in the request's `_meta`.
std::string_view client_name(const Message& message);
/// Reads and checks the `_meta` that every stateless request must carry (mcp-protocol.md 1).
Result<Envelope, encode::Error> read_envelope(const Message& message);

/// The error for a protocol version that cannot be used in a request's `_meta`.
encode::Error unsupported_version(std::string_view requested);

std::optional<LogLevel> read_log_level(json::Value level);

}  // namespace molecule::mcp

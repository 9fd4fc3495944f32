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

/// Which requests of ours the host answers.
struct HostCapabilities {
  bool elicitation = false;
  bool sampling = false;
  bool roots = false;
  bool has(std::string_view name) const;
};
HostCapabilities read_capabilities(json::Value capabilities);

/// Under what terms a request is served: those of its `_meta` in the stateless revision, those of
/// `initialize` before that.
struct Envelope {
  Revision revision = newest_negotiated;
  HostCapabilities host;
  /// Of the stateless revision: nothing is logged where it is absent.
  std::optional<LogLevel> log_level = std::nullopt;
};

/// The version that a request names in its `_meta`; absent before the stateless revision.
json::Value version_member(const Message& message);
/// `clientInfo.name` of a request's `_meta`.
std::string_view client_name(const Message& message);
/// Checks the `_meta` that every stateless request must carry (mcp-protocol.md 1).
Result<Envelope, encode::Error> read_envelope(const Message& message);

/// The error for a request that names a version which is not served that way.
encode::Error unsupported_version(std::string_view requested);

std::optional<LogLevel> read_log_level(json::Value level);

}  // namespace molecule::mcp

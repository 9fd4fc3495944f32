#include "mcp/wire/envelope.hpp"

#include <algorithm>
#include <string>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"

namespace molecule::mcp {

namespace {

json::Value meta_member(const Message& message, std::string_view key) {
  return message.params["_meta"][key];
}

encode::Error meta_error(std::string message) {
  return {.code = code::invalid_params, .message = std::move(message)};
}

}  // namespace

bool HostCapabilities::has(std::string_view name) const {
  if (name == "elicitation") return elicitation;
  if (name == "sampling") return sampling;
  return name == "roots" && roots;
}

HostCapabilities read_capabilities(json::Value capabilities) {
  return {.elicitation = capabilities["elicitation"].is_object(),
          .sampling = capabilities["sampling"].is_object(),
          .roots = capabilities["roots"].is_object()};
}

json::Value version_member(const Message& message) {
  return meta_member(message, "io.modelcontextprotocol/protocolVersion");
}

std::string_view client_name(const Message& message) {
  return meta_member(message, "io.modelcontextprotocol/clientInfo")["name"].string_or({});
}

Result<Envelope, encode::Error> read_envelope(const Message& message) {
  const auto version = version_member(message).string();
  if (!version) {
    return Failure{meta_error("`_meta` must contain `io.modelcontextprotocol/protocolVersion`")};
  }
  if (*version != stateless_version) return Failure{unsupported_version(*version)};
  const json::Value capabilities =
      meta_member(message, "io.modelcontextprotocol/clientCapabilities");
  if (!capabilities.is_object()) {
    return Failure{meta_error("`_meta` must contain `io.modelcontextprotocol/clientCapabilities`")};
  }
  Envelope envelope{.revision = Revision::r2026_07_28, .host = read_capabilities(capabilities)};
  const json::Value level = meta_member(message, "io.modelcontextprotocol/logLevel");
  if (level.present()) {
    envelope.log_level = read_log_level(level);
    if (!envelope.log_level) {
      return Failure{meta_error("`io.modelcontextprotocol/logLevel` is not a log level")};
    }
  }
  return envelope;
}

encode::Error unsupported_version(std::string_view requested) {
  json::Writer data;
  {
    auto members = data.object();
    {
      auto supported = members.array("supported");
      supported.value(stateless_version);
    }
    members.field("requested", text::sanitize_name(requested));
  }
  return {.code = code::unsupported_version,
          .message = "Unsupported protocol version",
          .data = std::move(data).take()};
}

std::optional<LogLevel> read_log_level(json::Value level) {
  const auto name = level.string();
  if (!name) return std::nullopt;
  const auto& names = encode::log_level_names;
  const auto* const found = std::find(names.begin(), names.end(), *name);
  if (found == names.end()) return std::nullopt;
  return static_cast<LogLevel>(found - names.begin());
}

}  // namespace molecule::mcp

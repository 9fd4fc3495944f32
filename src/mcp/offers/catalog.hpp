#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/reader.hpp"
#include "molecule/mcp/session.hpp"

namespace molecule::mcp {

/// Checks `server` and minifies its JSON so that it fits on one line. Throws
/// `std::invalid_argument` if a JSON text is malformed or a name, URI or template occurs twice.
ServerInfo checked(ServerInfo server);

// What a server offers. Methods of a missing feature are unknown, its capability is undeclared.
bool has_tools(const ServerInfo& server);
bool has_resources(const ServerInfo& server);
bool has_updates(const ServerInfo& server);
bool has_prompts(const ServerInfo& server);
bool has_completions(const ServerInfo& server);
bool has_logging(const ServerInfo& server);

/// The variables of a URI template and their values, in template order.
using Variables = std::vector<std::pair<std::string, std::string>>;

/// What serves a URI. Points into the `ServerInfo`.
struct ResourceMatch {
  const std::function<awaitable<ReadResult>(Call&)>* read = nullptr;
  Cache cache;
  /// The template's variables; empty for a plain resource.
  Variables variables;
};
std::optional<ResourceMatch> find_resource(const ServerInfo& server, std::string_view uri);

/// The completer for argument `name` of the prompt or resource template that `reference` names.
/// Null or empty if the argument has none; nothing if it does not exist. Points into `server`.
std::optional<const Completer*> find_completer(const ServerInfo& server,
                                               const json::Value& reference, std::string_view name);

/// Matches `uri` against `uri_template` (RFC 6570, level 1). Each variable takes the shortest
/// possible value. Nothing if it does not match.
std::optional<Variables> match_template(std::string_view uri_template, std::string_view uri);

}  // namespace molecule::mcp

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

/// Makes every JSON text of the server fit on a line. Throws `std::invalid_argument` where one is
/// none, or where a name, a URI or a template is there twice.
ServerInfo checked(ServerInfo server);

// What a server offers: the methods of what it lacks are unknown, the capabilities undeclared.
bool has_tools(const ServerInfo& server);
bool has_resources(const ServerInfo& server);
bool has_updates(const ServerInfo& server);
bool has_prompts(const ServerInfo& server);
bool has_completions(const ServerInfo& server);
bool has_logging(const ServerInfo& server);

/// A template's variables and their values, in its order.
using Variables = std::vector<std::pair<std::string, std::string>>;

/// What serves a URI. Views the server.
struct ResourceMatch {
  const std::function<awaitable<ReadResult>(Call&)>* read = nullptr;
  Cache cache;
  /// Of the template that it came from.
  Variables variables;
};
std::optional<ResourceMatch> find_resource(const ServerInfo& server, std::string_view uri);

/// What completes the argument `name` of the prompt or the resource template that `reference`
/// names: null or empty where nothing does; no value for what does not exist. Views the server.
std::optional<const Completer*> find_completer(const ServerInfo& server,
                                               const json::Value& reference, std::string_view name);

/// The values by which `uri_template` (RFC 6570, level 1) becomes `uri`; each takes as little as
/// it can.
std::optional<Variables> match_template(std::string_view uri_template, std::string_view uri);

}  // namespace molecule::mcp

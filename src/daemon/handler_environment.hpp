#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/runners/runner.hpp"
#include "workspace/config/config.hpp"
#include "workspace/workspace.hpp"

namespace molecule::daemon {

/// What a handler inherits of this process's environment: without what tells of tokens, of this
/// program's configuration or of the service manager. A variable that holds one of `secrets` is
/// left out, whatever its name.
std::vector<std::string> inherited_environment(const std::vector<std::string>& secrets);

/// What a handler is told of its message.
std::vector<std::pair<std::string, std::string>> message_environment(const Incoming& incoming);

/// How a handler's agent starts this program as its MCP server, for the same workspace and the
/// session of this process. The token is named by a file only; one that this process has from its
/// environment is written to such a file (0600) first.
Turn::Server mcp_server(const workspace::Config& config, workspace::Workspace& workspace,
                        const Incoming& incoming);

}  // namespace molecule::daemon

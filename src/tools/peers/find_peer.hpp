#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "molecule/mcp/tool.hpp"
#include "platform/client.hpp"
#include "tools/tools.hpp"

namespace molecule::tools {

/// Which peer an agent means.
struct PeerChoice {
  /// Lower case; empty if there is a problem or a failure.
  std::string id = {};
  /// For `Arguments::reject`.
  std::string problem = {};
  /// The peers could not be read.
  std::optional<mcp::ToolResult> failure = std::nullopt;
};

/// Among `peers`: the only one of that name, or whose name or id begins so, whatever the case.
PeerChoice choose_peer(const std::vector<platform::Peer>& peers, std::string_view given);

/// A UUID in any spelling is a peer without I/O; anything else is a name, looked for in the
/// platform's lists of peers: those of `source`, or of all of this process's workspaces if it is
/// null.
awaitable<PeerChoice> find_peer(Services& services, std::string given,
                                const workspace::Workspace* source);

}  // namespace molecule::tools

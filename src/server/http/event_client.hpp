#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "server/api/context.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

/// What a WebSocket client may see: asked for each event, as its rights can end meanwhile.
enum class Sight { yes, no, revoked };

/// The rights of a client that asks for /ws (2.10, but never without a credential): the admin
/// token sees all, a workspace's token (X-Workspace-ID, if sent, must be its own) what that
/// workspace can communicate with. The token comes in Authorization, or as a browser sends it (see
/// `offered_bearer`). `context` must outlive the function.
using SightOf = std::function<Sight(std::string_view workspace_id)>;
Result<SightOf, Reply> event_client(Context& context, const Request& request);

}  // namespace molecule::server

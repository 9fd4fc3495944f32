#pragma once

#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "server/access/caller.hpp"
#include "server/store/database.hpp"

namespace molecule::server {

/// platform-api.md 1.7: the same workspace, siblings, roots among each other, ancestor and
/// descendant at any depth (32 steps). False for unknown ids.
awaitable<bool> can_communicate(store::Session& store, std::string_view caller,
                                std::string_view target);

/// What a listener may see of an event: asked for each one, as its rights can end at any time.
enum class Sight { yes, no, revoked };

/// The admin sees every event, a workspace those of the workspaces it can communicate with, as long
/// as its token is live.
awaitable<Sight> sight(store::Session& store, Caller listener, std::string workspace_id);

}  // namespace molecule::server

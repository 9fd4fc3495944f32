#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "server/access/caller.hpp"
#include "server/store/database.hpp"

namespace molecule::server {

/// A workspace's place in the tree of workspaces.
struct TreePlace {
  std::string_view id;
  std::optional<std::string_view> parent_id;
};

/// platform-api.md 1.7: the same workspace, siblings, roots among each other, ancestor and
/// descendant at any depth (32 steps). False for unknown ids.
awaitable<bool> can_communicate(store::Session& store, std::string_view caller,
                                std::string_view target);
/// The same for two workspaces that were read already.
awaitable<bool> can_communicate(store::Session& store, TreePlace caller, TreePlace target);

/// Whether a listener may see an event. Checked for each event, because rights can end at any time.
enum class Visibility {
  visible,
  hidden,
  revoked  ///< the listener's token is no longer valid
};

/// The admin sees every event; a workspace sees those of the workspaces it can communicate with, as
/// long as its token is live.
awaitable<Visibility> event_visibility(store::Session& store, Caller listener,
                                       std::string workspace_id);

}  // namespace molecule::server

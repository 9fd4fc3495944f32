#pragma once

#include "base/async/clock.hpp"
#include "platform/client.hpp"
#include "workspace/changes.hpp"
#include "workspace/config/credentials.hpp"
#include "workspace/config/timing.hpp"
#include "workspace/store/inbox/inbox.hpp"
#include "workspace/sync/owner_role.hpp"
#include "workspace/sync/report/removal.hpp"

namespace molecule::workspace {

/// What the tasks of one workspace share; all of it outlives them.
struct SyncContext {
  platform::Client& client;
  Inbox& inbox;
  OwnerRole& owner_role;
  Credentials& credentials;
  Removal& removal;
  Changes& changes;
  Clock& clock;
  const Timing& timing;
};

}  // namespace molecule::workspace

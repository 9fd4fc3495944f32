#pragma once

#include "molecule/base/sqlite.hpp"
#include "molecule/workspace/inbox.hpp"

namespace molecule::workspace {

/// A row of `messages` whose first columns are those of `Message`, in its order.
Message read_message(const sqlite::Statement& row);

}  // namespace molecule::workspace

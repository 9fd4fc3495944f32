#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "base/async/clock.hpp"
#include "workspace/config/timing.hpp"
#include "workspace/sync/report/status_file.hpp"

namespace molecule::workspace {

enum class OwnerState {
  none,
  active,
  stopped,  ///< its process exists but does not run: SIGSTOP, or a debugger
  disabled  ///< its process runs but has given up the workspace, which cannot be used
};

/// What a workspace's state folder shows a process that does not serve it.
struct StoredState {
  /// True if there is an inbox.
  bool exists = false;
  /// Why it cannot be read, in a line for people; empty if it can.
  std::string problem;
  /// True if it cannot be read because a newer version of this program made it.
  bool newer = false;
  /// The messages, and how many of them are leased to a running session.
  std::size_t waiting = 0;
  std::size_t handed_out = 0;
  /// The last row that the inbox has seen; empty if there is none.
  std::string cursor;

  OwnerState owner = OwnerState::none;
  /// The owner's record; if there is no owner now, the last one's.
  std::optional<OwnerRecord> record;
};

/// Reads the state while others may be writing to it. Does not block them and changes nothing.
StoredState read_stored_state(const std::filesystem::path& state_folder, Clock& clock,
                              const Timing& timing);

}  // namespace molecule::workspace

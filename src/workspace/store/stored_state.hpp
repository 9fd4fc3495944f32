#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "base/async/clock.hpp"
#include "workspace/sync/status_file.hpp"

namespace molecule::workspace {

enum class OwnerState {
  none,
  active,
  stands_still,  ///< its process is there and does nothing: stopped, or a debugger's
  disabled       ///< its process is there and has given the workspace up, which cannot be used
};

/// What a workspace's state folder tells about it, to whoever does not serve it.
struct StoredState {
  /// Whether there is an inbox at all.
  bool exists = false;
  /// Why it cannot be read, in a line for people; empty where it can.
  std::string problem;
  /// Messages that were not popped yet, and how many of them were handed to a session that runs.
  std::size_t waiting = 0;
  std::size_t handed_out = 0;
  /// The last row that the inbox has seen; empty where there is none.
  std::string cursor;

  OwnerState owner = OwnerState::none;
  /// Of the owner, or of the last one where there is none now.
  std::optional<OwnerRecord> record;
};

/// Reads the state while others may be writing to it, without holding them up, and changes
/// nothing.
StoredState read_stored_state(const std::filesystem::path& state_folder, Clock& clock);

}  // namespace molecule::workspace

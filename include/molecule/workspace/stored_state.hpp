#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "molecule/base/result.hpp"

namespace molecule::workspace {

/// What a workspace's state folder tells about it, to whoever does not serve it.
struct StoredState {
  /// Whether there is an inbox at all.
  bool exists = false;
  /// Messages that were not popped yet.
  std::size_t waiting = 0;
  /// The last row that the inbox has seen; empty where there is none.
  std::string cursor;
};

/// Reads the state while others may be writing to it, without holding them up, and changes
/// nothing. The failure is one line for people.
Result<StoredState, std::string> read_stored_state(const std::filesystem::path& state_folder);

}  // namespace molecule::workspace

#pragma once

#include <chrono>
#include <list>
#include <string>
#include <string_view>

#include "molecule/base/clock.hpp"

namespace molecule::tools {

/// Idempotency keys of asynchronous delegations (platform-api.md 5.1): the same task for the same
/// peer within `repeat_window` gets the same key, so that a repeated call (an agent or a host that
/// saw no answer) does not run twice; later it is a task of its own again. Compared by content,
/// not by hash, since a collision would swallow somebody's task.
class DelegationKeys {
 public:
  static constexpr std::chrono::seconds repeat_window{120};

  /// A new key is the host's own name of the call where it gives one (`claudecode/toolUseId`): then
  /// the platform knows a repetition even after a restart of this program.
  std::string key_for(std::string_view peer, std::string_view task, std::string_view tool_use_id,
                      Clock::time_point now);

 private:
  struct Recent {
    std::string peer;
    std::string task;
    std::string key;
    Clock::time_point since;
  };
  std::list<Recent> recent_;
};

}  // namespace molecule::tools

#pragma once

#include <chrono>
#include <list>
#include <string>
#include <string_view>

#include "base/async/clock.hpp"

namespace molecule::tools {

/// Idempotency keys of asynchronous delegations (platform-api.md 5.1): the same task for the same
/// peer within `Timing::same_delegation` gets the same key, so that a repeated call (an agent or a
/// host that saw no answer) does not run twice; later it is a task of its own again. Within this
/// process tasks are compared by content, not by hash, since a collision would swallow somebody's
/// task.
class DelegationKeys {
 public:
  DelegationKeys(Clock& clock, std::chrono::seconds repeat_window)
      : clock_(clock), repeat_window_(repeat_window) {}

  /// A new key follows from the task and the part of the calendar, as long as the window, in which
  /// it is made: a process that takes this one's place makes the same, unless a new part has begun.
  /// Where the host names the call (`claudecode/toolUseId`), the name stands for the time: then
  /// the platform knows a repetition of that call for as long as it keeps rows.
  std::string key_for(std::string_view source, std::string_view peer, std::string_view task,
                      std::string_view tool_use_id);

 private:
  struct Recent {
    std::string source;
    std::string peer;
    std::string task;
    std::string key;
    Clock::time_point since;
  };
  Clock& clock_;
  std::chrono::seconds repeat_window_;
  std::list<Recent> recent_;
};

}  // namespace molecule::tools

#pragma once

#include <chrono>
#include <list>
#include <string>
#include <string_view>

#include "molecule/base/clock.hpp"

namespace molecule::tools {

/// The same UUID for the same two texts, and practically never for others (version 8 of RFC 9562,
/// of a hash): the messageId of what may be sent again later, even by another process.
std::string derived_uuid(std::string_view first, std::string_view second);

/// The messageIds of delegated tasks. A task whose answer was lost keeps its id for a while, so
/// that the agent's next try is the same message to a platform that knows repetitions
/// (platform-api.md 10); any other call is a task of its own. Compared by content.
class MessageIds {
 public:
  static constexpr std::chrono::minutes repeat_window{10};

  /// `tool_use_id` is the host's own name of the call (`claudecode/toolUseId`), empty where it
  /// gives none: by it a repetition is known even after a restart of this program.
  std::string id_for(std::string_view peer, std::string_view task, std::string_view tool_use_id,
                     Clock::time_point now);
  /// The task may have arrived, and nobody knows.
  void lost(std::string peer, std::string task, std::string id, Clock::time_point now);

 private:
  struct Lost {
    std::string peer;
    std::string task;
    std::string id;
    Clock::time_point since;
  };
  std::list<Lost> lost_;
};

}  // namespace molecule::tools

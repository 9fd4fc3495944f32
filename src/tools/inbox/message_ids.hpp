#pragma once

#include <chrono>
#include <list>
#include <string>
#include <string_view>

#include "base/async/clock.hpp"

namespace molecule::tools {

/// The messageIds of what this process sends. A message that may not have arrived keeps its id for
/// `Timing::same_message`, so that the agent's next try is the same message to a platform that
/// recognizes repetitions (platform-api.md 10); any other one is a new message. Compared by
/// content.
class MessageIds {
  struct Sent {
    std::string receiver;
    std::string content;
    std::string id;
    Clock::time_point since;
  };

 public:
  MessageIds(Clock& clock, std::chrono::minutes repeat_window)
      : clock_(clock), repeat_window_(repeat_window) {}

  /// One try to send `content`. However it ends, by cancellation too, the next try gets its id,
  /// unless the platform is known to have accepted the message.
  class Attempt {
   public:
    /// `tool_use_id` is the host's own id of the call (`claudecode/toolUseId`), empty if it gives
    /// none: by it a repetition is recognized even after a restart of this program.
    Attempt(MessageIds& ids, std::string receiver, std::string content,
            std::string_view tool_use_id);
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;
    ~Attempt();

    const std::string& id() const { return sent_.front().id; }
    void taken() { taken_ = true; }

   private:
    MessageIds& ids_;
    /// One, in a list, so that the end of the attempt needs no memory.
    std::list<Sent> sent_;
    bool taken_ = false;
  };

 private:
  Clock& clock_;
  std::chrono::minutes repeat_window_;
  std::list<Sent> lost_;
};

}  // namespace molecule::tools

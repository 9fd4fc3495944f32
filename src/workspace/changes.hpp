#pragma once

#include <cstdint>

#include "base/async/clock.hpp"
#include "base/async/event.hpp"

namespace molecule::workspace {

/// The one signal of a workspace: something has changed. A task waits for it and compares counts,
/// so that no change is lost and several count as one:
///
///     while (seen == changes.total()) co_await changes.event().wait();
class Changes {
 public:
  /// `any` is the same signal for all workspaces of the process.
  Changes(Clock& clock, Event& any) : event_(clock), any_(any) {}

  /// Messages were added or removed, by whichever process.
  void messages_changed() {
    ++messages_;
    changed();
  }
  /// Something else may have changed: which messages may be given out, or whether the workspace is
  /// in use.
  void changed() {
    ++total_;
    event_.notify_all();
    any_.notify_all();
  }

  /// Counts the changes of the messages.
  std::uint64_t messages() const { return messages_; }
  /// Counts all changes.
  std::uint64_t total() const { return total_; }
  /// Also wakes, without a count, when this process begins or ends a task.
  Event& event() { return event_; }

 private:
  Event event_;
  Event& any_;
  std::uint64_t messages_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace molecule::workspace

#pragma once

#include <cstdint>

#include "base/async/clock.hpp"
#include "base/async/event.hpp"

namespace molecule::workspace {

/// The one signal of a workspace: something has changed. A task that needs to know waits for it and
/// compares numbers, so that no change is lost and several count as one:
///
///     while (seen == changes.total()) co_await changes.event().wait();
class Changes {
 public:
  /// `any` is the same signal for all workspaces of the process.
  Changes(Clock& clock, Event& any) : event_(clock), any_(any) {}

  /// Messages came or went, whichever process did it.
  void messages_changed() {
    ++messages_;
    changed();
  }
  /// Anything else may be different: which messages may be given out, or whether the workspace is
  /// in use.
  void changed() {
    ++total_;
    event_.notify_all();
    any_.notify_all();
  }

  /// How often the messages have changed.
  std::uint64_t messages() const { return messages_; }
  /// How often anything has.
  std::uint64_t total() const { return total_; }
  /// Also wakes when this process begins or ends a task, which nobody else needs to know.
  Event& event() { return event_; }

 private:
  Event event_;
  Event& any_;
  std::uint64_t messages_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace molecule::workspace

#pragma once

#include <string>
#include <string_view>

#include "base/async/clock.hpp"
#include "base/async/event.hpp"
#include "workspace/store/inbox.hpp"
#include "workspace/sync/status_file.hpp"

namespace molecule::workspace {

/// Which of the processes that serve one workspace is its owner: the only one that registers,
/// beats and polls (molecule-mcp.md 5). The others look after it every 2 s and take over when its
/// process has ended, or has stood still for 4.5 s, which is within a poll interval; one that wakes
/// up again sees that it is not the owner any more before it does anything, and the inbox refuses
/// its writes.
class Ownership {
 public:
  Ownership(std::string workspace_id, Inbox& inbox, Clock& clock);
  Ownership(const Ownership&) = delete;
  Ownership& operator=(const Ownership&) = delete;

  /// Whether this process is the owner, as of now; becomes it where none precedes it.
  /// Called at least every `Sessions::look_interval`, which is the owner's beat.
  bool owns();
  /// What `owns` found last; asks nobody.
  bool owned() const { return owned_; }
  /// Returns as soon as this process is the owner; the gate before whatever only the owner does.
  awaitable<void> own();
  /// This process cannot keep the workspace online: it is for others to try. `why` says so to
  /// people.
  void resign(std::string_view why);
  /// This process has released the inbox, at its end: the others look at once.
  void released();
  /// It can try again.
  void stand_again() { resigned_ = false; }
  /// Grows each time that this process becomes the owner.
  unsigned term() const { return term_; }

  /// Where the owner notes for people how it goes, asked for at each note: nothing is written where
  /// this process stood still on the way to it and another one is the owner now.
  StatusFile& status();

 private:
  bool claim();
  void tell_of_the_other() const;

  std::string workspace_id_;
  Inbox& inbox_;
  StatusFile status_;
  Event owned_event_;
  bool owned_ = false;
  bool resigned_ = false;
  unsigned term_ = 0;
};

}  // namespace molecule::workspace

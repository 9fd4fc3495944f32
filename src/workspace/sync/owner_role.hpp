#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/async/clock.hpp"
#include "base/async/event.hpp"
#include "workspace/store/inbox/inbox.hpp"
#include "workspace/sync/report/status_file.hpp"

namespace molecule::workspace {

/// Whether this process is the workspace's owner: the only one that registers, sends heartbeats and
/// polls (molecule-mcp.md 5). The others check the owner every `Timing::owner_check` and take over
/// when its process has ended, or has been stopped for `Timing::owner_liveness`, together less than
/// a poll interval; a process that continues after that learns that it is no longer the owner
/// before it does anything, and the inbox refuses its writes. `record_refresh` is the `refresh` of
/// its `StatusFile`.
class OwnerRole {
 public:
  OwnerRole(std::string workspace_id, Inbox& inbox, const std::filesystem::path& state_folder,
            Clock& clock, Clock::duration record_refresh = {});
  OwnerRole(const OwnerRole&) = delete;
  OwnerRole& operator=(const OwnerRole&) = delete;

  /// True if this process is the owner now; it becomes the owner unless another one precedes it.
  /// Called at least every `Timing::owner_check`: it refreshes the owner's liveness.
  bool owns();
  /// The last result of `owns`. Does no I/O.
  bool owned() const { return owned_; }
  /// Returns once this process is the owner. Await it before everything that only the owner does.
  awaitable<void> own();
  /// Gives up ownership, because this process cannot keep the workspace online. `why` is for
  /// people.
  void resign(std::string_view why);
  /// Call once this process has released the inbox, at its end: wakes the others, which check at
  /// once.
  void released();
  /// Ends a resignation: this process may become the owner again.
  void undo_resign() { resigned_ = false; }
  /// Grows each time this process becomes the owner.
  unsigned term() const { return term_; }

  /// The owner's status record for people. Call this for each write: nothing is written if this
  /// process was stopped meanwhile and another one is the owner now.
  StatusFile& status();
  /// What this process has recorded as the owner.
  const OwnerRecord& record() const { return status_.record(); }

 private:
  bool claim();
  void log_other_owner() const;

  std::string workspace_id_;
  Inbox& inbox_;
  StatusFile status_;
  Event owned_event_;
  bool owned_ = false;
  bool resigned_ = false;
  unsigned term_ = 0;
};

}  // namespace molecule::workspace

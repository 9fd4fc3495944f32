#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/async/clock.hpp"
#include "base/files/lock_file.hpp"
#include "workspace/config/timing.hpp"

namespace molecule::workspace {

/// The processes that serve one workspace, as one of them sees the others: through `sessions.lock`
/// in the state folder. A session has a random number and holds the lock of the byte at that
/// offset; the kernel releases it however the session ends. A stopped process (SIGSTOP, a debugger)
/// keeps its lock; therefore the owner also notes its liveness, and an owner whose note is older
/// than `Timing::owner_liveness` counts as gone.
///
/// A session that only sends heartbeats or only polls, because the other half is disabled, serves
/// in part. It owns the workspace only until a session that does both takes over. Their numbers
/// tell them apart.
///
/// Times are of the monotonic clock, which all processes of one machine share: a step of the
/// calendar changes nothing. After a restart of the machine no old session holds its lock.
class Sessions {
 public:
  using Id = std::int64_t;

  Sessions(const std::filesystem::path& state_folder, Clock& clock, const Timing& timing);
  /// For an observer that is not a session: creates and changes nothing.
  Sessions(const std::filesystem::path& state_folder, Clock& clock, const Timing& timing,
           LockFile::ReadOnly);

  /// Marks this session as serving in part. Call it before `self`.
  void serve_in_part() { in_part_ = true; }
  bool in_part() const { return in_part_; }
  /// Acts for the session `host` from now on, as long as that one runs: with its leases and its
  /// name, without ever owning the workspace. Returns false if there is no such session. Call it
  /// before `self`.
  bool join(Id host);
  /// True for a session that acts for another one.
  bool guest() const { return guest_; }
  /// This session's id. The first call takes its lock; if that fails, later calls try again.
  Id self();
  /// The others see this session as ended, until `self` is called again.
  void leave();
  /// True if that session's process exists, running or stopped, or if that is unknown.
  bool alive(Id session);
  /// True if `session` is alive and its liveness is recent.
  bool active(Id session);
  /// True if `session` as the owner keeps this one from becoming the owner: it is active, and
  /// serves no less.
  bool precedes(Id session);
  /// True if any session has ever owned the workspace.
  bool any_owner_yet() { return file_.note().has_value(); }
  /// Shows the owner's liveness, which writes nothing to disk. The first time also notes who the
  /// owner is.
  void show_life();
  /// True if this session showed its liveness so recently that nobody can have taken over since.
  bool recently_alive() const;
  /// As `show_life` for a session that was the owner when it last showed its liveness, and so still
  /// is: nobody else can have taken over meanwhile. False if that is not certain.
  bool still_owner();
  /// The time until the next check of the owner: when its liveness expires unless it is refreshed.
  Clock::duration next_check();

  /// While the inbox, which names the owner, cannot be used: true if this session may act as the
  /// owner, so that the workspace stays online.
  bool own_without_inbox();
  void end_own_without_inbox();

  /// This session waits for a message from now on, or once less. The kernel ends it with the
  /// process; no disk is written.
  void begin_wait();
  void end_wait() noexcept;
  /// True if this session waits.
  bool waits() const { return waits_ > 0; }
  /// True if any other session runs; unknown counts as none.
  bool others();
  /// True if another session does.
  bool another_waits() { return file_.locked_elsewhere(waiting_byte); }

  /// The monotonic clock in microseconds, as leases store it.
  std::int64_t now() const;

 private:
  /// The last sign of life of an owner. Earlier versions only note it.
  std::optional<LockFile::Note> life();

  /// Shared by all sessions that wait.
  static constexpr std::int64_t waiting_byte = 4;

  Clock& clock_;
  const Timing& timing_;
  LockFile file_;
  Id self_ = 0;
  bool locked_ = false;
  bool in_part_ = false;
  bool guest_ = false;
  bool holds_substitute_ = false;
  /// When this session last showed its liveness.
  std::optional<std::int64_t> shown_;
  /// How many calls wait.
  int waits_ = 0;
};

}  // namespace molecule::workspace

#pragma once

#include <cstdint>
#include <filesystem>

#include "base/async/clock.hpp"
#include "base/files/lock_file.hpp"
#include "workspace/config/timing.hpp"

namespace molecule::workspace {

/// The processes that serve one workspace, as one of them sees the others: by `sessions.lock` in
/// the state folder. A session is known by a random number and holds the lock of the byte with that
/// number, so that the kernel tells of its end, however it ends. A stopped process (SIGSTOP, a
/// debugger) keeps its lock; therefore the owner also shows signs of life, and an owner whose last
/// one is older than `Timing::owner_liveness` counts as gone.
///
/// A session that only sends heartbeats or only polls, because the other half is switched off,
/// serves in part. It owns the workspace only while no session that does both wants to: that one
/// takes over from it. The numbers tell them apart.
///
/// Times are of the monotonic clock, which all processes of one machine share: a step of the
/// calendar changes nothing. After a restart of the machine no old session holds its lock.
class Sessions {
 public:
  using Id = std::int64_t;

  Sessions(const std::filesystem::path& state_folder, Clock& clock, const Timing& timing);
  /// For an observer that is no session itself: makes and changes nothing.
  Sessions(const std::filesystem::path& state_folder, Clock& clock, const Timing& timing,
           LockFile::ReadOnly);

  /// This session serves in part; to be called before `self`.
  void serve_in_part() { in_part_ = true; }
  bool in_part() const { return in_part_; }
  /// This session. The first call takes its lock; if that fails, later ones do.
  Id self();
  /// True if that session's process exists, running or stopped, or if that is unknown.
  bool alive(Id session);
  /// True if `session` is alive and has shown a sign of life lately.
  bool active(Id session);
  /// True if `session` as the owner keeps this one from becoming it: it is active, and serves no
  /// less.
  bool precedes(Id session);
  /// The owner's sign of life.
  void show_life();
  /// How long until the next check of the owner: when its last sign of life expires, unless it
  /// shows another.
  Clock::duration next_check();

  /// While the inbox, which says who the owner is, cannot be used: true if this session may act as
  /// the owner, so that the workspace is online all the same.
  bool own_without_inbox();
  void end_own_without_inbox();

  /// This session waits for a message from now on, or once less. The kernel ends it with the
  /// process; no disk is written.
  void begin_wait();
  void end_wait() noexcept;
  /// True if this session waits.
  bool waits() const { return waits_ > 0; }
  /// True if another session does.
  bool another_waits() { return file_.locked_elsewhere(waiting_byte); }

  /// The monotonic clock in microseconds, as leases store it.
  std::int64_t now() const;

 private:
  /// Shared by all sessions that wait.
  static constexpr std::int64_t waiting_byte = 4;

  Clock& clock_;
  const Timing& timing_;
  LockFile file_;
  Id self_ = 0;
  bool locked_ = false;
  bool in_part_ = false;
  bool holds_substitute_ = false;
  /// How many calls wait.
  int waits_ = 0;
};

}  // namespace molecule::workspace

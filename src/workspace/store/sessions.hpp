#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

#include "base/async/clock.hpp"
#include "base/files/lock_file.hpp"

namespace molecule::workspace {

/// The processes that serve one workspace, as one of them sees the others: by `sessions.lock` in
/// the state folder. A session is known by a random number and holds the lock of the byte with that
/// number, so that the kernel tells of its end, whatever ended it. A process that stands still
/// (SIGSTOP, a debugger) keeps its lock; therefore the owner also beats, and an owner whose last
/// beat is older than `beat_lasts` counts as gone.
///
/// A session that only beats or only polls, because its other half is switched off, serves in part.
/// It owns the workspace only as long as no session that does both wants to: that one takes over
/// from it. The numbers tell them apart.
///
/// Times are of the monotonic clock, which all processes of one machine share: a step of the
/// calendar changes nothing. After a restart of the machine no old session holds its lock.
class Sessions {
 public:
  using Id = std::int64_t;
  static constexpr std::chrono::milliseconds beat_lasts{4500};
  /// How often the owner beats, and at the latest the others look after it.
  static constexpr std::chrono::seconds look_interval{2};

  Sessions(std::filesystem::path state_folder, Clock& clock);
  /// For one that looks at the others and is no session itself: makes and changes nothing.
  Sessions(std::filesystem::path state_folder, Clock& clock, LockFile::ReadOnly);

  /// This session serves in part; said before `self` is asked for.
  void serve_in_part() { in_part_ = true; }
  bool in_part() const { return in_part_; }
  /// This session. The first call takes its lock; later ones do where that failed.
  Id self();
  /// Whether that session's process runs or stands still; true where that cannot be known.
  bool alive(Id session);
  /// Whether `session` is alive and is beating.
  bool beats(Id session);
  /// Whether `session` as the owner keeps this one from it: it beats, and serves no less.
  bool precedes(Id session);
  /// Beats as the owner.
  void beat();
  /// When to look after the owner again: when its beat, unless renewed, will not count any more.
  Clock::duration next_look();

  /// Where the inbox cannot be used, which else says who owns the workspace: whether this session
  /// may act as the owner, so that the workspace is online all the same.
  bool own_without_inbox();
  void end_own_without_inbox();

  /// The monotonic clock in microseconds, as leases keep it.
  std::int64_t now() const;

 private:
  Clock& clock_;
  LockFile file_;
  Id self_ = 0;
  bool locked_ = false;
  bool in_part_ = false;
  bool holds_substitute_ = false;
};

}  // namespace molecule::workspace

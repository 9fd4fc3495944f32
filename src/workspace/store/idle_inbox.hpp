#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/async/clock.hpp"
#include "base/text/time.hpp"
#include "workspace/store/database.hpp"
#include "workspace/store/sessions.hpp"

namespace molecule::workspace {

/// What the regular work of a workspace reads from its inbox.
struct IdleState {
  /// 0: nobody.
  Sessions::Id owner = 0;
  std::size_t waiting = 0;
  std::optional<std::string> cursor;
  std::optional<WallTime> watched_since;
  std::optional<std::string> broadcast_cursor;
  std::optional<WallTime> broadcasts_since;
  std::int64_t handled_sequence = 0;
};

/// The inbox of a process with many workspaces while nothing happens in it: its file is closed, and
/// the regular work goes on with what was read before, until anybody writes.
class IdleInbox {
 public:
  IdleInbox(Database& database, Clock& clock) : database_(database), clock_(clock) {}

  /// Null unless the inbox is idle: read the file then. Valid until the file is used. What others
  /// write is noticed within some milliseconds.
  const IdleState* state();
  /// True if it is idle and no message waits.
  bool empty();
  /// True if the file is open, is one of too many, and no session had anything in it when `rest`
  /// looked: the next calls may close it.
  bool may_rest() const { return database_.crowded() && !in_use_; }
  /// After the regular work: closes the file if it is one of too many and no session has anything
  /// in it. Throws `StoreError`.
  void rest();

 private:
  Database& database_;
  Clock& clock_;
  IdleState state_;
  bool in_use_ = false;
  Clock::time_point looked_ = Clock::time_point::min();
};

}  // namespace molecule::workspace

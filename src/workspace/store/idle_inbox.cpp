#include "workspace/store/idle_inbox.hpp"

#include <chrono>

#include "workspace/store/inbox/sql.hpp"

namespace molecule::workspace {

namespace {

/// One step of the regular work asks several times.
constexpr std::chrono::milliseconds look_again{20};

/// What sessions have in it, and so may have to be ended for one that is killed.
constexpr const char* anything_of_sessions =
    "SELECT EXISTS(SELECT 1 FROM leases) OR EXISTS(SELECT 1 FROM announcements)"
    " OR EXISTS(SELECT 1 FROM workloads) OR EXISTS(SELECT 1 FROM tasks WHERE session != 0)";

IdleState read_state(sqlite::Database& db) {
  IdleState read;
  read.owner = owner_of(db);
  read.waiting = static_cast<std::size_t>(number(db, "SELECT count(*) FROM messages"));
  read.cursor = state(db, "cursor");
  read.watched_since = time_state(db, "watched_since");
  read.broadcast_cursor = state(db, "broadcast_cursor");
  read.broadcasts_since = time_state(db, "broadcast_at");
  read.handled_sequence = handled_sequence(db);
  return read;
}

}  // namespace

const IdleState* IdleInbox::state() {
  if (!database_.closed()) return nullptr;
  const Clock::time_point now = clock_.now();
  if (now < looked_ + look_again) return &state_;
  if (!database_.closed_unchanged()) return nullptr;
  looked_ = now;
  return &state_;
}

bool IdleInbox::empty() {
  const IdleState* idle = state();
  return idle != nullptr && idle->waiting == 0;
}

void IdleInbox::rest() {
  if (!database_.spare()) return database_.rest();
  in_use_ = database_.use([this](sqlite::Database& db) {
    if (number(db, anything_of_sessions) != 0) return true;
    state_ = read_state(db);
    // What another connection has written since the last check is read again after that.
    return database_.changed_elsewhere();
  });
  if (in_use_) {
    database_.rest();
  } else {
    database_.close();
    looked_ = Clock::time_point::min();
  }
}

}  // namespace molecule::workspace

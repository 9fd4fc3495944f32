#include "workspace/store/inbox/ownership.hpp"

#include <string>

#include "workspace/store/idle_inbox.hpp"
#include "workspace/store/inbox/poll_state.hpp"
#include "workspace/store/inbox/sql.hpp"

namespace molecule::workspace {

bool Ownership::preceded_by(Sessions::Id owner) {
  return owner != 0 && sessions_.precedes(owner);
}

void Ownership::require(sqlite::Database& db) {
  const Sessions::Id owner = owner_of(db);
  if (owner != 0 && owner != sessions_.self()) throw NotTheOwner();
}

bool Ownership::claim() {
  // In a file that is not the one of before, nothing is certain.
  const bool same_file = database_.openings() == found_ && !database_.replaced();
  if (found_ != 0 && same_file && sessions_.still_owner()) return true;
  const IdleState* idle = idle_.state();
  if (idle != nullptr && idle->owner != sessions_.self() && preceded_by(idle->owner)) {
    found_ = 0;
    return false;
  }
  found_ = 0;
  const bool owner = database_.use([this](sqlite::Database& db) { return claim(db); });
  if (owner) found_ = database_.openings();
  return owner;
}

bool Ownership::claim(sqlite::Database& db) {
  const bool recent = sessions_.recently_alive();
  if (recent && owner_of(db) == sessions_.self()) {
    sessions_.show_life();
    return true;
  }
  if (preceded_by(owner_of(db))) return false;
  // Also for one that was silent: another session may be about to take over.
  sqlite::Transaction transaction(db);
  const Sessions::Id owner = owner_of(db);
  if (owner == sessions_.self()) {
    sessions_.show_life();
    return true;
  }
  if (preceded_by(owner)) return false;
  set_state(db, "owner", std::to_string(sessions_.self()));
  poll_state_.take_cursor_file(db);
  // Before the commit: a session that sees the new owner must see its sign of life too.
  sessions_.show_life();
  transaction.commit();
  ++claims_;
  sessions_.show_life();
  return true;
}

void Ownership::release() {
  if (!database_.is_open()) return;
  database_.use([this](sqlite::Database& db) {
    db.prepare("DELETE FROM state WHERE key = 'owner' AND CAST(value AS INTEGER) = ?1")
        .bind(sessions_.self())
        .run();
  });
}

}  // namespace molecule::workspace

#include "workspace/store/inbox/ownership.hpp"

#include <string>

#include "workspace/store/inbox/poll_state.hpp"
#include "workspace/store/inbox/sql.hpp"

namespace molecule::workspace {

namespace {

/// 0: nobody.
Sessions::Id owner_of(sqlite::Database& db) {
  return number(db, "SELECT CAST(value AS INTEGER) FROM state WHERE key = 'owner'");
}

}  // namespace

bool Ownership::owned_by_other(sqlite::Database& db) {
  const Sessions::Id owner = owner_of(db);
  return owner != 0 && sessions_.precedes(owner);
}

void Ownership::require(sqlite::Database& db) {
  const Sessions::Id owner = owner_of(db);
  if (owner != 0 && owner != sessions_.self()) throw NotTheOwner();
}

bool Ownership::claim() {
  return database_.use([this](sqlite::Database& db) {
    if (owner_of(db) != sessions_.self()) {
      if (owned_by_other(db)) return false;
      sqlite::Transaction transaction(db);
      if (owned_by_other(db)) return false;
      set_state(db, "owner", std::to_string(sessions_.self()));
      poll_state_.take_cursor_file(db);
      // Before the commit: a session that sees the new owner must see its sign of life too.
      sessions_.show_life();
      transaction.commit();
      ++claims_;
    }
    sessions_.show_life();
    return true;
  });
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

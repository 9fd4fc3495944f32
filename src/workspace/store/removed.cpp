#include <chrono>

#include "base/text/time.hpp"
#include "workspace/store/inbox.hpp"
#include "workspace/store/inbox_sql.hpp"

namespace molecule::workspace {

namespace {

/// So many stay however old they seem: a clock that was wrong once must not bring messages back.
constexpr int most_old_popped = 100'000;

void prune_popped(sqlite::Database& database, std::int64_t now) {
  const std::int64_t oldest = now - std::chrono::microseconds(popped_kept).count();
  sqlite::Statement old = database.prepare("SELECT 1 FROM popped WHERE popped_at < ?1 LIMIT 1");
  old.bind(oldest);
  if (!old.step()) return;
  database
      .prepare(
          "DELETE FROM popped WHERE popped_at < ?1 AND popped_at <="
          " (SELECT popped_at FROM popped ORDER BY popped_at DESC LIMIT 1 OFFSET ?2)")
      .bind(oldest, most_old_popped)
      .run();
}

}  // namespace

bool Inbox::pop(std::string_view activity_id) {
  sqlite::Database& db = database();
  sqlite::Transaction transaction(db);
  const std::int64_t now = to_micros(clock_.wall());
  // Grows even where the calendar is set back: sessions find by it what others have popped.
  db.prepare(
        "INSERT OR REPLACE INTO popped(activity_id, popped_at) SELECT activity_id,"
        " max(?2, (SELECT coalesce(max(popped_at), 0) + 1 FROM popped)) FROM messages"
        " WHERE activity_id = ?1")
      .bind(activity_id, now)
      .run();
  if (db.changes() == 0) return false;
  db.prepare("DELETE FROM messages WHERE activity_id = ?1").bind(activity_id).run();
  prune_popped(db, now);
  prolong_leases();
  transaction.commit();
  return true;
}

std::vector<std::string> Inbox::newly_popped() {
  sqlite::Statement row = database().prepare(
      "SELECT activity_id, popped_at FROM popped WHERE popped_at > ?1 ORDER BY popped_at");
  row.bind(told_popped_);
  std::vector<std::string> ids;
  std::int64_t last = told_popped_;
  while (row.step()) {
    ids.push_back(row.string(0));
    last = row.integer(1);
  }
  told_popped_ = last;
  return ids;
}

}  // namespace molecule::workspace

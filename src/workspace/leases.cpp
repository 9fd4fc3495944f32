// What sessions are given of the inbox, and for how long: the part of `Inbox` about leases.

#include <cstdint>
#include <utility>
#include <vector>

#include "molecule/workspace/inbox.hpp"
#include "stored.hpp"

namespace molecule::workspace {

namespace {

using std::chrono::microseconds;

/// A lease that is used is prolonged no more often than this, so that a wait writes seldom.
constexpr std::chrono::minutes prolonged_after{1};

struct Lease {
  std::int64_t seq = 0;
  /// 0: nobody has it.
  Sessions::Id session = 0;
  std::int64_t leased_at = 0;
};

std::optional<Lease> lease_of(sqlite::Database& db, std::string_view activity_id) {
  sqlite::Statement row = db.prepare(
      "SELECT m.seq, coalesce(l.session, 0), coalesce(l.leased_at, 0)"
      " FROM messages m LEFT JOIN leases l ON l.seq = m.seq WHERE m.activity_id = ?1");
  row.bind(activity_id);
  if (!row.step()) return std::nullopt;
  return Lease{.seq = row.integer(0), .session = row.integer(1), .leased_at = row.integer(2)};
}

void write_lease(sqlite::Database& db, const Lease& lease, bool announced) {
  db.prepare(
        "INSERT INTO leases(seq, session, leased_at, announced) VALUES(?1, ?2, ?3, ?4)"
        " ON CONFLICT(seq) DO UPDATE SET session = excluded.session,"
        " leased_at = excluded.leased_at, announced = max(announced, excluded.announced)")
      .bind(lease.seq, lease.session, lease.leased_at, announced)
      .run();
}

std::vector<Sessions::Id> holders(sqlite::Database& db) {
  sqlite::Statement row = db.prepare("SELECT DISTINCT session FROM leases");
  std::vector<Sessions::Id> sessions;
  while (row.step()) sessions.push_back(row.integer(0));
  return sessions;
}

bool any_before(sqlite::Database& db, std::int64_t oldest) {
  sqlite::Statement row = db.prepare("SELECT 1 FROM leases WHERE leased_at < ?1 LIMIT 1");
  row.bind(oldest);
  return row.step();
}

}  // namespace

std::optional<Message> Inbox::next() {
  sqlite::Database& db = database();
  for (int i = 0; i < 2; ++i) {
    sqlite::Statement row = db.prepare(
        "SELECT m.activity_id, m.text, m.peer_id, m.kind, m.method, m.created_at, m.peer_name,"
        " m.peer_role FROM messages m LEFT JOIN leases l ON l.seq = m.seq"
        " WHERE l.session IS NULL OR l.session = ?1 ORDER BY m.seq LIMIT 1");
    row.bind(sessions_.self());
    if (row.step()) return read_message(row);
    if (!free_leases()) break;
  }
  return std::nullopt;
}

bool Inbox::lease(std::string_view activity_id) {
  sqlite::Database& db = database();
  const std::int64_t now = sessions_.now();
  const Sessions::Id self = sessions_.self();
  std::optional<Lease> lease = lease_of(db, activity_id);
  const bool fresh = lease && lease->session == self &&
                     now - lease->leased_at < microseconds(prolonged_after).count();
  if (fresh) return true;
  sqlite::Transaction transaction(db);
  lease = lease_of(db, activity_id);
  if (!lease || (lease->session != 0 && lease->session != self)) return false;
  write_lease(db, {.seq = lease->seq, .session = self, .leased_at = now}, false);
  transaction.commit();
  return true;
}

std::vector<Message> Inbox::announce(std::size_t limit) {
  static constexpr std::string_view query =
      "SELECT m.activity_id, m.text, m.peer_id, m.kind, m.method, m.created_at, m.peer_name,"
      " m.peer_role, m.seq FROM messages m LEFT JOIN leases l ON l.seq = m.seq"
      " WHERE l.session IS NULL OR (l.session = ?1 AND l.announced = 0) ORDER BY m.seq LIMIT ?2";
  sqlite::Database& db = database();
  const Sessions::Id self = sessions_.self();
  {
    sqlite::Statement row = db.prepare(query);
    row.bind(self, 1);
    if (!row.step()) return {};
  }
  sqlite::Transaction transaction(db);
  std::vector<std::pair<std::int64_t, Message>> found;
  {
    sqlite::Statement row = db.prepare(query);
    row.bind(self, static_cast<std::int64_t>(limit));
    while (row.step()) found.emplace_back(row.integer(8), read_message(row));
  }
  std::vector<Message> messages;
  for (auto& [seq, message] : found) {
    write_lease(db, {.seq = seq, .session = self, .leased_at = sessions_.now()}, true);
    messages.push_back(std::move(message));
  }
  transaction.commit();
  return messages;
}

bool Inbox::free_leases() {
  sqlite::Database& db = database();
  const std::int64_t oldest = sessions_.now() - microseconds(lease_lasts).count();
  bool freed = false;
  for (const Sessions::Id session : holders(db)) {
    if (sessions_.alive(session)) continue;
    db.prepare("DELETE FROM leases WHERE session = ?1").bind(session).run();
    freed = true;
  }
  // A time to come is either one of before the machine's restart, and its session is dead, or one
  // that another session wrote just now.
  if (any_before(db, oldest)) {
    db.prepare("DELETE FROM leases WHERE leased_at < ?1").bind(oldest).run();
    freed = true;
  }
  return freed;
}

void Inbox::release() {
  if (!database_) return;
  sqlite::Database& db = *database_;
  // What is lost of this at a power cut has no owner any more all the same: nobody waits for it.
  db.execute("PRAGMA synchronous=OFF");
  sqlite::Transaction transaction(db);
  db.prepare("DELETE FROM leases WHERE session = ?1").bind(sessions_.self()).run();
  db.prepare("DELETE FROM state WHERE key = 'owner' AND CAST(value AS INTEGER) = ?1")
      .bind(sessions_.self())
      .run();
  transaction.commit();
}

}  // namespace molecule::workspace

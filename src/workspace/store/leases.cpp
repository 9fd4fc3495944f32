// What sessions are given of the inbox, and for how long: the part of `Inbox` about leases.

#include <cstdint>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "workspace/store/inbox.hpp"
#include "workspace/store/inbox_sql.hpp"

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

void write_lease(sqlite::Database& db, const Lease& lease) {
  db.prepare("INSERT OR REPLACE INTO leases(seq, session, leased_at) VALUES(?1, ?2, ?3)")
      .bind(lease.seq, lease.session, lease.leased_at)
      .run();
}

/// What may be given to `self`, oldest first.
std::vector<std::int64_t> available_to(sqlite::Database& db, Sessions::Id self) {
  sqlite::Statement row = db.prepare(
      std::string("SELECT m.seq FROM messages m LEFT JOIN leases l ON l.seq = m.seq WHERE ") +
      available + "ORDER BY m.seq");
  row.bind(self);
  std::vector<std::int64_t> found;
  while (row.step()) found.push_back(row.integer(0));
  return found;
}

/// The sessions that have left something here.
std::vector<Sessions::Id> known_sessions(sqlite::Database& db) {
  sqlite::Statement row =
      db.prepare("SELECT session FROM leases UNION SELECT session FROM workloads");
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
    sqlite::Statement row =
        db.prepare(std::string(select_told) + "WHERE " + available + "ORDER BY m.seq LIMIT 1");
    row.bind(sessions_.self());
    if (row.step()) return read_message(row);
    if (!free_leases()) break;
  }
  return std::nullopt;
}

Message Inbox::read_told(const sqlite::Statement& row) {
  Message message = read_message(row);
  const Sessions::Id holder = row.integer(12);
  const bool lasts = sessions_.now() - row.integer(13) < microseconds(lease_lasts).count();
  message.with_another_session =
      holder != 0 && holder != sessions_.self() && lasts && sessions_.alive(holder);
  return message;
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
  write_lease(db, {.seq = lease->seq, .session = self, .leased_at = now});
  prolong_leases();
  transaction.commit();
  return true;
}

void Inbox::prolong_leases() {
  if (!database_) return;
  database_->prepare("UPDATE leases SET leased_at = ?1 WHERE session = ?2")
      .bind(sessions_.now(), sessions_.self())
      .run();
}

std::vector<Message> Inbox::announce(std::size_t limit) {
  sqlite::Database& db = database();
  const Sessions::Id self = sessions_.self();
  std::vector<std::int64_t> fresh;
  std::unordered_set<std::int64_t> known;
  for (const std::int64_t seq : available_to(db, self)) {
    if (announced_.contains(seq)) {
      known.insert(seq);
    } else if (fresh.size() < limit) {
      fresh.push_back(seq);
    }
  }
  announced_ = std::move(known);
  if (fresh.empty()) return {};
  sqlite::Transaction transaction(db);
  std::vector<Message> messages;
  for (const std::int64_t seq : fresh) {
    sqlite::Statement row =
        db.prepare(std::string(select_told) + "WHERE " + available + "AND m.seq = ?2");
    row.bind(self, seq);
    if (!row.step()) continue;
    messages.push_back(read_message(row));
    write_lease(db, {.seq = seq, .session = self, .leased_at = sessions_.now()});
  }
  transaction.commit();
  announced_.insert(fresh.begin(), fresh.end());
  return messages;
}

bool Inbox::free_leases() {
  sqlite::Database& db = database();
  const std::int64_t oldest = sessions_.now() - microseconds(lease_lasts).count();
  bool freed = false;
  for (const Sessions::Id session : known_sessions(db)) {
    if (sessions_.alive(session)) continue;
    db.prepare("DELETE FROM workloads WHERE session = ?1").bind(session).run();
    db.prepare("DELETE FROM leases WHERE session = ?1").bind(session).run();
    freed = freed || db.changes() > 0;
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
  sqlite::Transaction transaction(db);
  db.prepare("DELETE FROM leases WHERE session = ?1").bind(sessions_.self()).run();
  db.prepare("DELETE FROM workloads WHERE session = ?1").bind(sessions_.self()).run();
  release_ownership();
  transaction.commit();
}

}  // namespace molecule::workspace

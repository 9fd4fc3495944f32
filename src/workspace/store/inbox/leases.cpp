#include "workspace/store/inbox/leases.hpp"

#include <chrono>
#include <string>
#include <utility>

#include "workspace/store/inbox/sql.hpp"

namespace molecule::workspace {

namespace {

using std::chrono::microseconds;

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
std::vector<std::int64_t> rows_available_to(sqlite::Database& db, Sessions::Id self) {
  sqlite::Statement row = db.prepare(
      std::string("SELECT m.seq FROM messages m LEFT JOIN leases l ON l.seq = m.seq WHERE ") +
      available + "ORDER BY m.seq");
  row.bind(self);
  std::vector<std::int64_t> found;
  while (row.step()) found.push_back(row.integer(0));
  return found;
}

std::vector<Sessions::Id> sessions_with_leases(sqlite::Database& db) {
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

std::int64_t Leases::oldest_valid() const {
  return sessions_.now() - microseconds(timing_.lease).count();
}

bool Leases::held_elsewhere(Sessions::Id session, std::int64_t leased_at) const {
  return session != 0 && session != sessions_.self() && leased_at > oldest_valid() &&
         sessions_.alive(session);
}

std::optional<Message> Leases::next() {
  std::vector<Message> first = available(1);
  if (first.empty() && free()) first = available(1);
  if (first.empty()) return std::nullopt;
  return std::move(first.front());
}

std::vector<Message> Leases::available(std::size_t limit) {
  return database_.use([this, limit](sqlite::Database& db) {
    sqlite::Statement row = db.prepare(std::string(select_messages) + "WHERE " +
                                       workspace::available + "ORDER BY m.seq LIMIT ?2");
    row.bind(sessions_.self(), static_cast<std::int64_t>(limit));
    std::vector<Message> messages;
    while (row.step()) messages.push_back(read_message(row));
    return messages;
  });
}

bool Leases::lease(std::string_view activity_id) {
  return database_.use([this, activity_id](sqlite::Database& db) {
    const std::int64_t now = sessions_.now();
    const Sessions::Id self = sessions_.self();
    std::optional<Lease> lease = lease_of(db, activity_id);
    // A lease in use is prolonged seldom, so that a wait seldom writes.
    const bool fresh = lease && lease->session == self &&
                       now - lease->leased_at < microseconds(timing_.lease_renewal).count();
    if (fresh) return true;
    sqlite::Transaction transaction(db);
    lease = lease_of(db, activity_id);
    if (!lease || (lease->session != 0 && lease->session != self)) return false;
    write_lease(db, {.seq = lease->seq, .session = self, .leased_at = now});
    prolong();
    transaction.commit();
    return true;
  });
}

std::vector<Message> Leases::announce(std::size_t limit) {
  return database_.use([this, limit](sqlite::Database& db) {
    const Sessions::Id self = sessions_.self();
    std::vector<std::int64_t> fresh;
    std::unordered_set<std::int64_t> known;
    for (const std::int64_t seq : rows_available_to(db, self)) {
      if (announced_.contains(seq)) {
        known.insert(seq);
      } else if (fresh.size() < limit) {
        fresh.push_back(seq);
      }
    }
    announced_ = std::move(known);
    std::vector<Message> messages;
    if (fresh.empty()) return messages;
    sqlite::Transaction transaction(db);
    for (const std::int64_t seq : fresh) {
      sqlite::Statement row = db.prepare(std::string(select_messages) + "WHERE " +
                                         workspace::available + "AND m.seq = ?2");
      row.bind(self, seq);
      if (!row.step()) continue;
      messages.push_back(read_message(row));
      write_lease(db, {.seq = seq, .session = self, .leased_at = sessions_.now()});
    }
    transaction.commit();
    announced_.insert(fresh.begin(), fresh.end());
    return messages;
  });
}

void Leases::prolong() {
  if (!database_.is_open()) return;
  database_.use([this](sqlite::Database& db) {
    db.prepare("UPDATE leases SET leased_at = ?1 WHERE session = ?2")
        .bind(sessions_.now(), sessions_.self())
        .run();
  });
}

bool Leases::free() {
  return database_.use([this](sqlite::Database& db) {
    bool freed = false;
    for (const Sessions::Id session : sessions_with_leases(db)) {
      if (sessions_.alive(session)) continue;
      db.prepare("DELETE FROM leases WHERE session = ?1").bind(session).run();
      freed = freed || db.changes() > 0;
    }
    // A time in the future is either from before the machine's restart, and its session is dead, or
    // another session wrote it just now.
    const std::int64_t oldest = oldest_valid();
    if (any_before(db, oldest)) {
      db.prepare("DELETE FROM leases WHERE leased_at < ?1").bind(oldest).run();
      freed = true;
    }
    return freed;
  });
}

void Leases::release() {
  if (!database_.is_open()) return;
  database_.use([this](sqlite::Database& db) {
    db.prepare("DELETE FROM leases WHERE session = ?1").bind(sessions_.self()).run();
  });
}

}  // namespace molecule::workspace

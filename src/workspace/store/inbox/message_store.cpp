#include "workspace/store/inbox/message_store.hpp"

#include <chrono>
#include <utility>

#include "workspace/store/inbox/sql.hpp"

namespace molecule::workspace {

namespace {

/// This many stay however old they seem: a clock that was wrong once must not bring messages back.
constexpr int min_removed_kept = 100'000;

bool is_removed(sqlite::Database& db, const std::string& activity_id) {
  sqlite::Statement statement = db.prepare("SELECT 1 FROM popped WHERE activity_id = ?1");
  statement.bind(activity_id);
  return statement.step();
}

bool insert(sqlite::Database& db, const Message& m) {
  db.prepare(
        "INSERT OR IGNORE INTO messages(activity_id, text, peer_id, kind, method, created_at,"
        " peer_name, peer_role, sequence, agent_card_url, message_id, task_id, hops)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")
      .bind(m.activity_id, m.text, m.peer_id, m.kind, m.method, m.created_at, m.peer_name,
            m.peer_role, m.sequence, m.agent_card_url, m.message_id, m.task_id, m.hops)
      .run();
  return db.changes() > 0;
}

void prune_removed(sqlite::Database& db, std::int64_t oldest) {
  sqlite::Statement old = db.prepare("SELECT 1 FROM popped WHERE popped_at < ?1 LIMIT 1");
  old.bind(oldest);
  if (!old.step()) return;
  db.prepare(
        "DELETE FROM popped WHERE popped_at < ?1 AND popped_at <="
        " (SELECT popped_at FROM popped ORDER BY popped_at DESC LIMIT 1 OFFSET ?2)")
      .bind(oldest, min_removed_kept)
      .run();
}

}  // namespace

/// `advance` lets a cursor pass them within the transaction.
template <class Advance>
std::size_t MessageStore::store_new(const std::vector<Message>& messages, Advance advance) {
  return database_.use([&](sqlite::Database& db) {
    std::size_t count = 0;
    sqlite::Transaction transaction(db);
    ownership_.require(db);
    for (const Message& message : messages) {
      if (!is_removed(db, message.activity_id) && insert(db, message)) ++count;
    }
    advance(db);
    transaction.commit();
    return count;
  });
}

std::size_t MessageStore::store(const std::vector<Message>& messages, const std::string& cursor,
                                std::int64_t sequence, std::optional<WallTime> cursor_created) {
  const std::size_t added = store_new(messages, [&](sqlite::Database& db) {
    poll_state_.advance(db, cursor, sequence, cursor_created);
  });
  poll_state_.write_cursor_file(cursor);
  return added;
}

std::size_t MessageStore::store_broadcasts(const std::vector<Message>& messages,
                                           const std::string& cursor,
                                           std::optional<WallTime> cursor_created) {
  return store_new(messages, [&](sqlite::Database& db) {
    poll_state_.advance_broadcasts(db, cursor, cursor_created);
  });
}

Message MessageStore::read(const sqlite::Statement& row) const {
  Message message = read_message(row);
  message.with_another_session = leases_.elsewhere(read_record(row));
  return message;
}

std::optional<Message> MessageStore::find(std::string_view activity_id) {
  return database_.use([&](sqlite::Database& db) -> std::optional<Message> {
    sqlite::Statement row = db.prepare(std::string(select_messages) + "WHERE m.activity_id = ?1");
    row.bind(activity_id);
    if (!row.step()) return std::nullopt;
    return read(row);
  });
}

std::vector<Message> MessageStore::peek(std::size_t limit) {
  return database_.use([&](sqlite::Database& db) {
    sqlite::Statement row = db.prepare(std::string(select_messages) + "ORDER BY m.seq LIMIT ?1");
    row.bind(static_cast<std::int64_t>(limit));
    std::vector<Message> messages;
    while (row.step()) messages.push_back(read(row));
    return messages;
  });
}

std::optional<Message> MessageStore::oldest() {
  std::vector<Message> first = peek(1);
  if (first.empty()) return std::nullopt;
  return std::move(first.front());
}

std::size_t MessageStore::size() {
  if (const IdleState* idle = idle_.state()) return idle->waiting;
  return database_.use([](sqlite::Database& db) {
    return static_cast<std::size_t>(number(db, "SELECT count(*) FROM messages"));
  });
}

bool MessageStore::has_from(std::string_view peer_id) {
  return database_.use([peer_id](sqlite::Database& db) {
    sqlite::Statement row = db.prepare("SELECT 1 FROM messages WHERE peer_id = ?1 LIMIT 1");
    row.bind(peer_id);
    return row.step();
  });
}

/// Within a transaction.
bool MessageStore::remove(sqlite::Database& db, std::string_view activity_id) {
  const std::int64_t now = to_micros(clock_.wall());
  // Grows even if the calendar is set back: sessions use it to find what others removed.
  db.prepare(
        "INSERT OR REPLACE INTO popped(activity_id, popped_at) SELECT activity_id,"
        " max(?2, (SELECT coalesce(max(popped_at), 0) + 1 FROM popped)) FROM messages"
        " WHERE activity_id = ?1")
      .bind(activity_id, now)
      .run();
  if (db.changes() == 0) return false;
  db.prepare(
        "UPDATE tasks SET answered = 1 WHERE (task_id, peer_id) IN"
        " (SELECT task_id, peer_id FROM messages WHERE activity_id = ?1)")
      .bind(activity_id)
      .run();
  db.prepare("DELETE FROM messages WHERE activity_id = ?1").bind(activity_id).run();
  prune_removed(db, now - std::chrono::microseconds(timing_.removed_kept).count());
  leases_.renew();
  return true;
}

bool MessageStore::remove(std::string_view activity_id) {
  return database_.use([this, activity_id](sqlite::Database& db) {
    sqlite::Transaction transaction(db);
    if (!remove(db, activity_id)) return false;
    transaction.commit();
    leases_.forget(activity_id);
    return true;
  });
}

MessageStore::Popped MessageStore::pop(std::string_view activity_id) {
  return database_.use([this, activity_id](sqlite::Database& db) {
    sqlite::Transaction transaction(db);
    {
      sqlite::Statement row = db.prepare(std::string(select_messages) + "WHERE m.activity_id = ?1");
      row.bind(activity_id);
      if (!row.step()) return Popped::absent;
      if (leases_.refused(read_record(row))) return Popped::refused;
    }
    if (!remove(db, activity_id)) return Popped::absent;
    transaction.commit();
    leases_.forget(activity_id);
    return Popped::removed;
  });
}

bool MessageStore::add(const Message& message) {
  return database_.use([&message](sqlite::Database& db) {
    sqlite::Transaction transaction(db);
    const bool added = !is_removed(db, message.activity_id) && insert(db, message);
    transaction.commit();
    return added;
  });
}

void MessageStore::opened(sqlite::Database& db) {
  // Also of what is removed while the file is closed.
  if (last_removed_) return;
  last_removed_ = number(db, "SELECT coalesce(max(popped_at), 0) FROM popped");
}

std::vector<std::string> MessageStore::newly_removed() {
  return database_.use([this](sqlite::Database& db) {
    sqlite::Statement row = db.prepare(
        "SELECT activity_id, popped_at FROM popped WHERE popped_at > ?1 ORDER BY popped_at");
    row.bind(last_removed_);
    std::vector<std::string> ids;
    std::int64_t last = last_removed_.value_or(0);
    while (row.step()) {
      ids.push_back(row.string(0));
      last = row.integer(1);
    }
    last_removed_ = last;
    return ids;
  });
}

}  // namespace molecule::workspace

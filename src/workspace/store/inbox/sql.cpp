#include "workspace/store/inbox/sql.hpp"

#include <algorithm>

namespace molecule::workspace {

Message read_message(const sqlite::Statement& row) {
  Message m;
  m.activity_id = row.string(0);
  m.text = row.string(1);
  m.peer_id = row.string(2);
  m.kind = row.string(3);
  m.method = row.string(4);
  m.created_at = row.string(5);
  m.peer_name = row.string(6);
  m.peer_role = row.string(7);
  m.agent_card_url = row.string(8);
  m.message_id = row.string(9);
  m.task_id = row.string(10);
  m.task = row.string(11);
  m.hops = static_cast<int>(row.integer(hops_column));
  return m;
}

delivery::Record read_record(const sqlite::Statement& row, int first) {
  return {.asked_by = row.integer(first),
          .announced_to = row.integer(first + 1),
          .announced_at = row.integer(first + 2),
          .holder = row.integer(first + 3),
          .given_at = row.integer(first + 4),
          .leased_at = row.integer(first + 5)};
}

std::int64_t number(sqlite::Database& db, std::string_view sql) {
  sqlite::Statement statement = db.prepare(sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::optional<std::string> state(sqlite::Database& db, std::string_view key) {
  sqlite::Statement statement = db.prepare("SELECT value FROM state WHERE key = ?1");
  statement.bind(key);
  if (!statement.step()) return std::nullopt;
  return statement.string(0);
}

std::optional<WallTime> time_state(sqlite::Database& db, std::string_view key) {
  const auto text = state(db, key);
  return text ? parse_rfc3339(*text) : std::nullopt;
}

void set_state(sqlite::Database& db, std::string_view key, std::string_view value) {
  db.prepare("INSERT OR REPLACE INTO state(key, value) VALUES(?1, ?2)").bind(key, value).run();
}

void set_time(sqlite::Database& db, std::string_view key, WallTime time) {
  set_state(db, key, format_rfc3339(time));
}

std::int64_t owner_of(sqlite::Database& db) {
  return number(db, "SELECT CAST(value AS INTEGER) FROM state WHERE key = 'owner'");
}

std::int64_t handled_sequence(sqlite::Database& db) {
  const std::int64_t highest =
      number(db, "SELECT CAST(value AS INTEGER) FROM state WHERE key = 'sequence'");
  sqlite::Statement first = db.prepare("SELECT min(sequence) FROM messages");
  first.step();
  // A message without a sequence has 0: nothing is known until it is removed.
  const std::int64_t before = first.is_null(0) ? highest : first.integer(0) - 1;
  return std::clamp<std::int64_t>(before, 0, highest);
}

void clear_state(sqlite::Database& db, std::string_view key) {
  db.prepare("DELETE FROM state WHERE key = ?1").bind(key).run();
}

}  // namespace molecule::workspace

#include "workspace/store/inbox/poll_state.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/files/files.hpp"
#include "base/log.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "workspace/store/inbox/ownership.hpp"
#include "workspace/store/inbox/sql.hpp"

namespace molecule::workspace {

namespace {

std::optional<std::string> read_cursor_file(const std::filesystem::path& path) {
  auto content = files::read(path, 4096);
  if (!content.ok()) return std::nullopt;
  const std::string_view cursor = text::trim(*content);
  if (!is_uuid(cursor)) return std::nullopt;
  return std::string(cursor);
}

std::optional<WallTime> written_at(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return std::chrono::system_clock::from_time_t(status.st_mtime);
}

}  // namespace

PollState::PollState(Database& database, IdleInbox& idle, Ownership& ownership,
                     const std::filesystem::path& state_folder, Clock& clock, const Timing& timing)
    : database_(database),
      idle_(idle),
      ownership_(ownership),
      cursor_file_(state_folder / ".mcp_inbox_cursor"),
      clock_(clock),
      timing_(timing) {}

std::optional<std::string> PollState::cursor() {
  if (const IdleState* idle = idle_.state()) return idle->cursor;
  return database_.use([](sqlite::Database& db) { return state(db, "cursor"); });
}

std::int64_t PollState::handled_sequence() {
  if (const IdleState* idle = idle_.state()) return idle->handled_sequence;
  return database_.use([](sqlite::Database& db) { return workspace::handled_sequence(db); });
}

std::optional<WallTime> PollState::watched_since() {
  if (const IdleState* idle = idle_.state()) return idle->watched_since;
  return database_.use([](sqlite::Database& db) { return time_state(db, "watched_since"); });
}

void PollState::watch_since(WallTime time) {
  database_.use([this, time](sqlite::Database& db) {
    sqlite::Transaction transaction(db);
    ownership_.require(db);
    set_time(db, "watched_since", time);
    transaction.commit();
  });
}

void PollState::forget_cursor(std::optional<WallTime> last_poll) {
  database_.use([this, last_poll](sqlite::Database& db) {
    sqlite::Transaction transaction(db);
    ownership_.require(db);
    const auto since = last_poll ? last_poll : time_state(db, "cursor_at");
    clear_state(db, "cursor");
    clear_state(db, "cursor_at");
    clear_state(db, "watched_since");
    // The platform may have another database now, whose rows are numbered anew.
    clear_state(db, "sequence");
    if (since) set_time(db, "watched_since", *since);
    transaction.commit();
  });
  ::unlink(cursor_file_.c_str());
}

std::optional<std::string> PollState::broadcast_cursor() {
  if (const IdleState* idle = idle_.state()) return idle->broadcast_cursor;
  return database_.use([](sqlite::Database& db) { return state(db, "broadcast_cursor"); });
}

std::optional<WallTime> PollState::broadcasts_since() {
  if (const IdleState* idle = idle_.state()) return idle->broadcasts_since;
  return database_.use([](sqlite::Database& db) { return time_state(db, "broadcast_at"); });
}

void PollState::forget_broadcast_cursor() {
  database_.use([this](sqlite::Database& db) {
    sqlite::Transaction transaction(db);
    ownership_.require(db);
    clear_state(db, "broadcast_cursor");
    transaction.commit();
  });
}

void PollState::advance_broadcasts(sqlite::Database& db, const std::string& cursor,
                                   std::optional<WallTime> cursor_created) {
  const WallTime now = clock_.wall();
  set_state(db, "broadcast_cursor", cursor);
  set_time(db, "broadcast_at", std::min(now, cursor_created.value_or(now)));
}

void PollState::look_back(sqlite::Database& db) {
  auto followed_until = written_at(cursor_file_);
  // The cursor file may have gone away with its folder, under this process.
  if (!followed_until && database_.openings() > 0) followed_until = clock_.wall();
  if (!followed_until) return;
  set_time(db, "watched_since", *followed_until - timing_.lost_inbox_look_back);
  ::unlink(cursor_file_.c_str());
  log::warning(
      "inbox: the earlier inbox is missing: reading the messages from {} hours before its last one "
      "again; some may have been handled",
      std::chrono::duration_cast<std::chrono::hours>(timing_.lost_inbox_look_back).count());
}

void PollState::advance(sqlite::Database& db, const std::string& cursor, std::int64_t sequence,
                        std::optional<WallTime> cursor_created) {
  const WallTime now = clock_.wall();
  set_state(db, "cursor", cursor);
  // In a backlog the rows after the cursor are older than now.
  set_time(db, "cursor_at", std::min(now, cursor_created.value_or(now)));
  clear_state(db, "watched_since");
  if (sequence > 0) set_state(db, "sequence", std::to_string(sequence));
}

void PollState::write_cursor_file(const std::string& cursor) {
  // Only a courtesy to the other runtime: if the file is behind, known ids drop what comes again.
  auto written = files::replace(cursor_file_, cursor);
  if (!written.ok()) log::warning("inbox: {}", written.error().message);
}

void PollState::take_cursor_file(sqlite::Database& db) {
  const auto moved_on = read_cursor_file(cursor_file_);
  if (!moved_on) return;
  const bool same = moved_on == state(db, "cursor");
  if (same && state(db, "cursor_at")) return;
  if (!same) set_state(db, "cursor", *moved_on);
  if (const auto time = written_at(cursor_file_)) set_time(db, "cursor_at", *time);
}

}  // namespace molecule::workspace

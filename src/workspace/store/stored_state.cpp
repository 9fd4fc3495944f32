#include "workspace/store/stored_state.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/sqlite/sqlite.hpp"
#include "workspace/store/inbox/sql.hpp"
#include "workspace/store/sessions.hpp"
#include "workspace/store/store_error.hpp"

namespace molecule::workspace {

namespace {

bool has_table(sqlite::Database& database, std::string_view name) {
  sqlite::Statement row = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?1");
  row.bind(name);
  return row.step();
}

std::size_t count_handed_out(sqlite::Database& database, Sessions& sessions) {
  // Files from before version 2 have no such table.
  if (!has_table(database, "leases")) return 0;
  std::size_t handed_out = 0;
  sqlite::Statement row = database.prepare("SELECT session, count(*) FROM leases GROUP BY session");
  while (row.step()) {
    if (sessions.alive(row.integer(0))) handed_out += static_cast<std::size_t>(row.integer(1));
  }
  return handed_out;
}

void read_inbox(sqlite::Database& database, Sessions& sessions, StoredState& state) {
  // One consistent view, whatever is written meanwhile.
  database.execute("BEGIN");
  require_ours(database);
  state.exists = has_table(database, "messages");
  if (!state.exists) return;
  sqlite::Statement count = database.prepare("SELECT count(*) FROM messages");
  if (count.step()) state.waiting = static_cast<std::size_t>(count.integer(0));
  sqlite::Statement cursor = database.prepare("SELECT value FROM state WHERE key = 'cursor'");
  if (cursor.step()) state.cursor = cursor.string(0);
  state.handed_out = count_handed_out(database, sessions);
}

OwnerState owner_state(Sessions& sessions, const std::optional<OwnerRecord>& record) {
  if (!record || !sessions.alive(record->session)) return OwnerState::none;
  if (record->disabled) return OwnerState::disabled;
  return sessions.active(record->session) ? OwnerState::active : OwnerState::stopped;
}

}  // namespace

StoredState read_stored_state(const std::filesystem::path& state_folder, Clock& clock,
                              const Timing& timing) {
  StoredState state;
  Sessions sessions(state_folder, clock, timing, LockFile::ReadOnly());
  state.record = read_owner_record(state_folder);
  state.owner = owner_state(sessions, state.record);
  const std::filesystem::path path = state_folder / "inbox.db";
  if (::access(path.c_str(), R_OK) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) {
      state.problem = fmt::format("cannot read {}: {}", path.string(), std::strerror(errno));
    }
    return state;
  }
  // A file that is being created, or closed by its last user, can be read a moment later.
  for (int tries_left = 3; tries_left > 0; --tries_left) {
    try {
      sqlite::Database database(path, sqlite::Database::ReadOnly());
      read_inbox(database, sessions, state);
      state.problem.clear();
      break;
    } catch (const sqlite::Error& error) {
      state.problem = fmt::format("{}: {}", path.string(), error.what());
    } catch (const StoreError& error) {
      state.problem = fmt::format("{}: {}", path.string(), error.what());
      state.newer = error.kind() == StoreError::Kind::newer;
      break;
    }
  }
  return state;
}

}  // namespace molecule::workspace

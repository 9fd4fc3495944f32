#include "molecule/workspace/stored_state.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "molecule/base/sqlite.hpp"

namespace molecule::workspace {

namespace {

StoredState read(sqlite::Database& database) {
  StoredState state;
  state.exists = true;
  {
    sqlite::Statement count = database.prepare("SELECT count(*) FROM messages");
    if (count.step()) state.waiting = static_cast<std::size_t>(count.integer(0));
  }
  sqlite::Statement cursor = database.prepare("SELECT value FROM state WHERE key = 'cursor'");
  if (cursor.step()) state.cursor = cursor.string(0);
  return state;
}

}  // namespace

Result<StoredState, std::string> read_stored_state(const std::filesystem::path& state_folder) {
  const std::filesystem::path path = state_folder / "inbox.db";
  if (::access(path.c_str(), R_OK) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return StoredState();
    return Failure{fmt::format("cannot read {}: {}", path.string(), std::strerror(errno))};
  }
  try {
    sqlite::Database database(path, sqlite::Database::ReadOnly());
    return read(database);
  } catch (const sqlite::Error& error) {
    return Failure{fmt::format("{}: {}", path.string(), error.what())};
  }
}

}  // namespace molecule::workspace

#include <sqlite3.h>

#include <chrono>
#include <memory>

#include "base/sqlite/sqlite.hpp"

namespace molecule::sqlite {

namespace {

/// 1 MiB at SQLite's usual page size.
constexpr int pages_a_step = 256;
constexpr int retry_milliseconds = 20;
/// Another connection that holds `target`, or a rollback journal's lock, for longer is an error.
constexpr std::chrono::seconds patience{10};

struct FinishCopy {
  void operator()(sqlite3_backup* copy) const { sqlite3_backup_finish(copy); }
};

bool is_held(int code) {
  return (code & 0xFF) == SQLITE_BUSY || (code & 0xFF) == SQLITE_LOCKED;
}

}  // namespace

void Database::copy_to(Database& target, const CopyProgress& progress) {
  std::unique_ptr<sqlite3_backup, FinishCopy> copy(
      sqlite3_backup_init(target.handle_, "main", handle_, "main"));
  if (!copy) target.fail(sqlite3_errcode(target.handle_), "start a copy");
  auto give_up = std::chrono::steady_clock::now() + patience;
  int code = SQLITE_OK;
  while (code != SQLITE_DONE) {
    code = sqlite3_backup_step(copy.get(), pages_a_step);
    const int all = sqlite3_backup_pagecount(copy.get());
    progress(all - sqlite3_backup_remaining(copy.get()), all);
    if (code == SQLITE_OK || code == SQLITE_DONE) {
      give_up = std::chrono::steady_clock::now() + patience;
      continue;
    }
    if (!is_held(code) || std::chrono::steady_clock::now() >= give_up) break;
    sqlite3_sleep(retry_milliseconds);
  }
  if (code == SQLITE_DONE) return;
  copy.reset();
  throw Error(code, std::string("database: cannot copy: ") + sqlite3_errstr(code));
}

}  // namespace molecule::sqlite

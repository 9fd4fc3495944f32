// What sessions tell the owner of their work: the part of `Inbox` about the heartbeat's true
// values.

#include <fmt/format.h>

#include "molecule/base/log.hpp"
#include "molecule/workspace/inbox.hpp"
#include "stored.hpp"

namespace molecule::workspace {

namespace {

/// While it lives, a call that needs another connection's lock fails at once.
class NoWaiting {
 public:
  explicit NoWaiting(sqlite::Database& database) : database_(database) {
    database_.execute("PRAGMA busy_timeout = 0");
  }
  NoWaiting(const NoWaiting&) = delete;
  NoWaiting& operator=(const NoWaiting&) = delete;
  ~NoWaiting() {
    try {
      database_.execute(fmt::format("PRAGMA busy_timeout = {}", busy_timeout.count()).c_str());
    } catch (const sqlite::Error& error) {
      log::debug("inbox: {}", error.what());
    }
  }

 private:
  sqlite::Database& database_;
};

}  // namespace

void Inbox::tell_load(const Load& load) {
  sqlite::Database& db = database();
  const NoWaiting no_waiting(db);
  if (load == Load()) {
    db.prepare("DELETE FROM workloads WHERE session = ?1").bind(sessions_.self()).run();
  } else {
    db.prepare(
          "INSERT OR REPLACE INTO workloads(session, active_tasks, current_task)"
          " VALUES(?1, ?2, ?3)")
        .bind(sessions_.self(), load.active_tasks, load.current_task)
        .run();
  }
}

Load Inbox::load_of_others() {
  sqlite::Statement row = database().prepare(
      "SELECT session, active_tasks, current_task FROM workloads WHERE session != ?1");
  row.bind(sessions_.self());
  Load all;
  while (row.step()) {
    // What a killed session was at is not worked on any more.
    if (!sessions_.alive(row.integer(0))) continue;
    all.active_tasks += static_cast<int>(row.integer(1));
    if (all.current_task.empty()) all.current_task = row.string(2);
  }
  return all;
}

}  // namespace molecule::workspace

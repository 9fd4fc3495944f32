// What sessions tell the owner of their work: the part of `Inbox` about the heartbeat's true
// values.

#include "workspace/store/inbox.hpp"
#include "workspace/store/inbox_sql.hpp"

namespace molecule::workspace {

void Inbox::publish_workload(const Load& load) {
  sqlite::Database& db = database();
  const NoWaiting no_waiting(*this);
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

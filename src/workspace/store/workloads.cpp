#include "workspace/store/workloads.hpp"

#include <vector>

namespace molecule::workspace {

namespace {

void remove(sqlite::Database& db, Sessions::Id session) {
  db.prepare("DELETE FROM workloads WHERE session = ?1").bind(session).run();
}

}  // namespace

void Workloads::publish(const Load& load) {
  database_.use([this, &load](sqlite::Database& db) {
    const Database::FailFast fail_fast(database_);
    if (load == Load()) return remove(db, sessions_.self());
    db.prepare(
          "INSERT OR REPLACE INTO workloads(session, active_tasks, current_task)"
          " VALUES(?1, ?2, ?3)")
        .bind(sessions_.self(), load.active_tasks, load.current_task)
        .run();
  });
}

Load Workloads::of_others() {
  return database_.use([this](sqlite::Database& db) {
    sqlite::Statement row =
        db.prepare("SELECT session, active_tasks, current_task FROM workloads WHERE session != ?1");
    row.bind(sessions_.self());
    Load all;
    while (row.step()) {
      // Nobody works on what a killed session has published.
      if (!sessions_.alive(row.integer(0))) continue;
      all.active_tasks += static_cast<int>(row.integer(1));
      if (all.current_task.empty()) all.current_task = row.string(2);
    }
    return all;
  });
}

void Workloads::forget_ended() {
  database_.use([this](sqlite::Database& db) {
    std::vector<Sessions::Id> ended;
    {
      sqlite::Statement row = db.prepare("SELECT session FROM workloads");
      while (row.step()) {
        if (!sessions_.alive(row.integer(0))) ended.push_back(row.integer(0));
      }
    }
    for (const Sessions::Id session : ended) remove(db, session);
  });
}

void Workloads::withdraw() {
  if (!database_.is_open()) return;
  database_.use([this](sqlite::Database& db) { remove(db, sessions_.self()); });
}

}  // namespace molecule::workspace

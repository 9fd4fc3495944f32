#include "workspace/store/inbox/delegated_tasks.hpp"

#include <chrono>
#include <cstdint>
#include <string>

#include "base/text/text.hpp"
#include "base/text/time.hpp"
#include "workspace/store/inbox/sql.hpp"

namespace molecule::workspace {

void DelegatedTasks::remember(std::string_view task_id, std::string_view peer_id,
                              std::string_view text) {
  const std::int64_t now = to_micros(clock_.wall());
  const std::string shown(text::prefix_characters(text::one_line(text), max_characters));
  const std::int64_t oldest = now - std::chrono::microseconds(timing_.removed_kept).count();
  database_.use([&](sqlite::Database& db) {
    sqlite::Transaction transaction(db);
    db.prepare(
          "INSERT INTO tasks(task_id, peer_id, task, sent_at, session, conversation)"
          " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(task_id) DO UPDATE"
          " SET peer_id = ?2, task = ?3, sent_at = ?4, session = ?5, conversation = ?6")
        .bind(task_id, peer_id, shown, now, sessions_.self(), conversation_)
        .run();
    db.prepare("DELETE FROM tasks WHERE sent_at < ?1").bind(oldest).run();
    transaction.commit();
  });
}

void DelegatedTasks::forget(std::string_view task_id) {
  database_.use([task_id](sqlite::Database& db) {
    db.prepare("DELETE FROM tasks WHERE task_id = ?1").bind(task_id).run();
  });
}

std::optional<DelegatedTasks::Task> DelegatedTasks::find(std::string_view task_id) {
  return database_.use([task_id](sqlite::Database& db) -> std::optional<Task> {
    sqlite::Statement row =
        db.prepare("SELECT task_id, peer_id, answered FROM tasks WHERE task_id = ?1");
    row.bind(task_id);
    if (!row.step()) return std::nullopt;
    Task task{.task_id = row.string(0), .peer_id = row.string(1), .answered = row.integer(2) != 0};
    sqlite::Statement answer = db.prepare(std::string(select_messages) +
                                          "WHERE m.kind = 'delegation_result' AND m.task_id = ?1"
                                          " AND m.peer_id = ?2 ORDER BY m.seq LIMIT 1");
    answer.bind(task.task_id, task.peer_id);
    if (answer.step()) task.answer = read_message(answer);
    return task;
  });
}

}  // namespace molecule::workspace

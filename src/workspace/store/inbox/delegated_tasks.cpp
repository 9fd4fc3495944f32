#include "workspace/store/inbox/delegated_tasks.hpp"

#include <chrono>
#include <cstdint>
#include <string>

#include "base/text/text.hpp"
#include "base/text/time.hpp"

namespace molecule::workspace {

void DelegatedTasks::remember(std::string_view task_id, std::string_view peer_id,
                              std::string_view text) {
  const std::int64_t now = to_micros(clock_.wall());
  const std::string shown(text::prefix_characters(text::one_line(text), max_characters));
  const std::int64_t oldest = now - std::chrono::microseconds(timing_.removed_kept).count();
  database_.use([&](sqlite::Database& db) {
    sqlite::Transaction transaction(db);
    db.prepare(
          "INSERT OR REPLACE INTO tasks(task_id, peer_id, task, sent_at) VALUES(?1, ?2, ?3, ?4)")
        .bind(task_id, peer_id, shown, now)
        .run();
    db.prepare("DELETE FROM tasks WHERE sent_at < ?1").bind(oldest).run();
    transaction.commit();
  });
}

}  // namespace molecule::workspace

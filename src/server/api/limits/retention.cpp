#include "server/api/limits/retention.hpp"

#include <chrono>
#include <vector>

namespace molecule::server {

namespace {

/// Rows that one transaction looks at. Some are megabytes, so not many.
constexpr int rows_a_step = 200;

constexpr std::int64_t day = std::chrono::microseconds(std::chrono::hours(24)).count();

/// Deletes what is too old among the next rows after `seq`, and moves `seq` on. False at the end:
/// when the next row is younger than any that is deleted.
awaitable<bool> activity_step(Services& services, std::int64_t now, std::int64_t& seq) {
  const std::int64_t oldest = now - services.limits.message_days * day;
  const std::int64_t oldest_acked = now - services.limits.acked_days * day;
  Context context(services);
  co_await context.store.begin();
  std::vector<std::int64_t> expired;
  int seen = 0;
  bool young = false;
  {
    store::RowStream row = context.store.stream(
        "SELECT a.seq, a.created_at, w.last_acked_seq FROM activity a"
        " JOIN workspaces w ON w.id = a.workspace_id WHERE a.seq > $1 ORDER BY a.seq LIMIT $2",
        seq, rows_a_step);
    while (!young) {
      const bool more = co_await row.next();
      if (!more) break;
      ++seen;
      seq = row.integer(0);
      const std::int64_t created = row.integer(1);
      young = created >= oldest && created >= oldest_acked;
      // The last acknowledged row stays: it may be the cursor of a client that is away.
      const bool acked = seq < row.integer(2);
      if (created < oldest || (acked && created < oldest_acked)) expired.push_back(seq);
    }
  }
  for (const std::int64_t each : expired) {
    co_await context.store.execute("DELETE FROM activity WHERE seq = $1", each);
  }
  if (!expired.empty()) co_await context.store.commit();
  co_return seen == rows_a_step && !young;
}

/// Returns the number of events that it deleted.
awaitable<std::int64_t> event_step(Services& services, std::int64_t now) {
  Context context(services);
  co_await context.store.begin();
  // The oldest have the lowest numbers; one that a wrong clock dated ahead does not hold up others.
  const std::int64_t deleted = co_await context.store.execute(
      "DELETE FROM events WHERE seq IN (SELECT seq FROM (SELECT seq, created_at FROM events"
      " ORDER BY seq LIMIT $2) AS oldest WHERE created_at < $1)",
      now - services.limits.event_days * day, rows_a_step);
  co_await context.store.commit();
  co_return deleted;
}

}  // namespace

awaitable<void> delete_old_rows(Services& services) {
  const std::int64_t now = now_micros(services);
  std::int64_t seq = 0;
  bool more = true;
  while (more) {
    more = co_await activity_step(services, now, seq);
    co_await next_turn();
  }
  std::int64_t deleted = 1;
  while (deleted > 0) {
    deleted = co_await event_step(services, now);
    co_await next_turn();
  }
  Context context(services);
  co_await context.store.begin();
  co_await context.store.execute("DELETE FROM workspace_tokens WHERE revoked_at < $1",
                                 now - services.limits.message_days * day);
  co_await context.store.commit();
  note_tick(services, "retention");
}

}  // namespace molecule::server

#include "server/api/registry/sweep.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "server/api/files/pending_uploads.hpp"
#include "server/api/registry/status.hpp"

namespace molecule::server {

namespace {

constexpr std::chrono::seconds interval(15);

struct Change {
  std::string id;
  std::string_view status;
};

std::vector<Change> find_silent(Context& context, std::int64_t now, std::int64_t listening_since) {
  auto row = context.database.prepare(
      "SELECT id, status, runtime, coalesce(last_heartbeat_at, updated_at) FROM workspaces"
      " WHERE status IN ('online', 'degraded')");
  std::vector<Change> silent;
  while (row.step()) {
    const std::chrono::microseconds silence(now - std::max(row.integer(3), listening_since));
    const auto status = after_silence(row.text(1), row.text(2), silence);
    if (status) silent.push_back({.id = row.string(0), .status = *status});
  }
  return silent;
}

void write_token_use(Context& context, std::int64_t now) {
  for (const std::string& id : context.tokens_used) {
    auto update =
        context.database.prepare("UPDATE workspace_tokens SET last_used_at = ?2 WHERE id = ?1");
    update.bind(id, now).run();
  }
}

}  // namespace

void sweep(Context& context, std::int64_t listening_since) {
  const std::int64_t now = now_micros(context);
  sqlite::Transaction transaction(context.database);
  for (const Change& change : find_silent(context, now, listening_since)) {
    auto update = context.database.prepare(
        "UPDATE workspaces SET status = ?2, updated_at = ?3 WHERE id = ?1");
    update.bind(change.id, change.status, now).run();
    context.events.record("WORKSPACE_OFFLINE", change.id, "{}");
  }
  remove_expired_uploads(context);
  write_token_use(context, now);
  transaction.commit();
  context.tokens_used.clear();
  context.events.publish();
}

awaitable<void> sweep_task(Context& context) {
  const std::int64_t listening_since = now_micros(context);
  while (true) {
    co_await sleep_for(context.clock, interval);
    try {
      sweep(context, listening_since);
    } catch (const sqlite::Error& error) {
      context.events.discard();
      log::error("sweep: {}", error.what());
    }
  }
}

}  // namespace molecule::server

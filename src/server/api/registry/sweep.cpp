#include "server/api/registry/sweep.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/json/writer.hpp"
#include "base/log.hpp"
#include "server/access/sessions.hpp"
#include "server/api/files/pending_uploads.hpp"
#include "server/api/instances/shared_events.hpp"
#include "server/api/limits/retention.hpp"
#include "server/api/messages/read_marks.hpp"
#include "server/api/registry/status.hpp"
#include "server/api/requests/request_changes.hpp"

namespace molecule::server {

namespace {

constexpr std::chrono::seconds interval(15);
constexpr std::chrono::hours retention_interval(1);
constexpr std::chrono::seconds idle_check_interval(1);

struct Change {
  std::string id;
  std::string before;
  std::string_view status;
  std::string name;
};

/// What this instance knows and the store does not, taken out while it is written: more may come
/// meanwhile.
struct Uses {
  explicit Uses(Services& from)
      : services(from),
        tokens(std::exchange(from.tokens_used, {})),
        sessions(std::exchange(from.sessions_used, {})),
        marks(std::exchange(from.unsaved_marks, {})) {}
  Uses(const Uses&) = delete;
  Uses& operator=(const Uses&) = delete;
  /// Unless it is written, it is for the next time.
  ~Uses() {
    services.tokens_used.merge(tokens);
    services.sessions_used.merge(sessions);
    services.unsaved_marks.merge(marks);
  }
  void written() {
    tokens.clear();
    sessions.clear();
    marks.clear();
  }

  Services& services;
  std::set<std::string> tokens;
  std::set<std::string> sessions;
  std::set<std::string> marks;
};

awaitable<std::vector<Change>> find_silent(Context& context, std::int64_t now,
                                           std::int64_t listening_since) {
  store::Rows row = co_await context.store.query(
      "SELECT id, status, runtime, coalesce(last_heartbeat_at, updated_at), name FROM workspaces"
      " WHERE status IN ('online', 'degraded')");
  std::vector<Change> silent;
  while (row.next()) {
    // A time in the future is of a clock that was wrong: it proves nothing.
    const std::int64_t last =
        context.services.presence.last(row.text(0), {.at = row.integer(3)}).at;
    const std::int64_t heard = last > now ? 0 : last;
    const std::chrono::microseconds silence(now - std::max(heard, listening_since));
    const auto status =
        after_silence(row.text(1), row.text(2), silence, context.services.stale_after);
    if (!status) continue;
    silent.push_back(
        {.id = row.string(0), .before = row.string(1), .status = *status, .name = row.string(4)});
  }
  co_return silent;
}

awaitable<void> write_token_use(Context& context, const std::set<std::string>& tokens,
                                std::int64_t now) {
  for (const std::string& id : tokens) {
    co_await context.store.execute("UPDATE workspace_tokens SET last_used_at = $2 WHERE id = $1",
                                   id, now);
    co_await context.store.execute("UPDATE org_tokens SET last_used_at = $2 WHERE id = $1", id,
                                   now);
  }
}

awaitable<void> take_silent_offline(Context& context, std::int64_t now,
                                    std::int64_t listening_since) {
  const std::vector<Change> silent = co_await find_silent(context, now, listening_since);
  for (const Change& change : silent) {
    // Another instance may have removed or paused it since it was read.
    const std::int64_t changed = co_await context.store.execute(
        "UPDATE workspaces SET status = $2, updated_at = $3 WHERE id = $1 AND status = $4",
        change.id, change.status, now, change.before);
    if (changed == 0) continue;
    if (change.status == "awaiting_agent") {
      json::Writer payload;
      payload.object().field("name", change.name);
      context.events.record("WORKSPACE_AWAITING_AGENT", change.id, std::move(payload).take());
    }
    context.events.record("WORKSPACE_OFFLINE", change.id, "{}");
  }
}

/// What has to be consistent: one transaction.
awaitable<void> sweep_rows(Services& services, std::int64_t listening_since) {
  Context context(services);
  const std::int64_t now = context.now_micros();
  Uses uses(services);
  co_await context.store.begin();
  co_await write_token_use(context, uses.tokens, now);
  co_await keep_sessions(context, uses.sessions, now);
  co_await write_read_marks(context, uses.marks);
  if (services.events.instances().leads()) {
    co_await take_silent_offline(context, now, listening_since);
    co_await delete_expired_uploads(context);
    co_await remind_of_requests(context, now);
    co_await expire_prompts(context, now);
  }
  co_await context.events.write(context.store);
  co_await context.store.commit();
  uses.written();
  co_await services.events.publish(context.events.take_frames());
}

}  // namespace

awaitable<void> sweep(Services& services, std::int64_t listening_since) {
  co_await sweep_rows(services, listening_since);
  services.store.shrink_log();
  const Instances& instances = services.events.instances();
  if (instances.leads()) co_await remove_orphaned_files(services);
  if (instances.leads() && instances.shared()) co_await SharedEvents::delete_read(services);
  note_tick(services, "sweep");
}

awaitable<void> sweep_task(Services& services) {
  std::int64_t listening_since = now_micros(services);
  while (true) {
    co_await sleep_for(services.clock, interval);
    try {
      co_await sweep(services, listening_since);
    } catch (const StoreError& error) {
      log::error("sweep: {}", error.what());
      // While the store is away, no heartbeat can be taken.
      listening_since = now_micros(services);
    }
  }
}

awaitable<void> store_task(Services& services) {
  while (true) {
    co_await sleep_for(services.clock, idle_check_interval);
    try {
      services.store.use_idle_time();
    } catch (const StoreError& error) {
      log::warning("store: {}", error.what());
    }
  }
}

awaitable<void> retention_task(Services& services) {
  while (true) {
    const bool leads = services.events.instances().leads();
    try {
      if (leads) co_await delete_old_rows(services);
    } catch (const StoreError& error) {
      log::error("retention: {}", error.what());
    }
    // Whoever leads later does not wait for an hour.
    const Clock::duration pause =
        leads ? Clock::duration(retention_interval) : Clock::duration(interval);
    co_await sleep_for(services.clock, pause);
  }
}

}  // namespace molecule::server

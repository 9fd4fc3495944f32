#include "server/api/instances/shared_events.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "base/log.hpp"
#include "server/store/store_error.hpp"

namespace molecule::server {

namespace {

/// Texts may be lost with a connection; this bounds how late their rows are read.
constexpr std::chrono::seconds look_interval{2};
constexpr std::chrono::milliseconds retry_interval{500};
/// Who has not read for longer has a gap: its clients are sent away, to load everything anew.
/// Rows are kept for more than twice as long.
constexpr std::chrono::seconds max_gap{60};
/// Longer than rows are kept.
constexpr std::chrono::seconds remembered{300};

}  // namespace

awaitable<void> SharedEvents::start() {
  const std::unique_ptr<store::Session> session = services_.store.session();
  // Transactions that are yet to come: rows from a copy of another server's database.
  co_await session->begin();
  co_await session->execute(
      "DELETE FROM shared_events WHERE xact >= pg_snapshot_xmax(pg_current_snapshot())");
  co_await session->commit();
  store::Rows row = co_await session->query(
      "SELECT pg_current_snapshot()::text, e.seq FROM (SELECT 1) AS now"
      " LEFT JOIN shared_events e ON true");
  seen_at_ = services_.clock.now();
  while (row.next()) {
    seen_ = row.string(0);
    if (!row.is_null(1)) read_.emplace(row.integer(1), seen_at_);
  }
}

awaitable<std::vector<EventFrame>> SharedEvents::read() {
  // One statement sees one snapshot: the rows are those that it sees and the last one did not.
  constexpr const char* since_last =
      "SELECT pg_current_snapshot()::text, e.seq, e.event_type, e.workspace_id, e.payload, e.at"
      " FROM (SELECT 1) AS now LEFT JOIN shared_events e"
      " ON e.xact >= pg_snapshot_xmin($1::pg_snapshot)"
      " AND NOT pg_visible_in_snapshot(e.xact, $1::pg_snapshot) ORDER BY e.seq";
  constexpr const char* everything =
      "SELECT pg_current_snapshot()::text, e.seq, e.event_type, e.workspace_id, e.payload, e.at"
      " FROM (SELECT 1) AS now LEFT JOIN shared_events e ON $1::text != '' ORDER BY e.seq";
  const std::string_view sql = unsure_ ? everything : since_last;
  unsure_ = false;
  const std::unique_ptr<store::Session> session = services_.store.session();
  store::Rows row = co_await session->query(sql, seen_);
  std::vector<EventFrame> frames;
  const Clock::time_point now = services_.clock.now();
  while (row.next()) {
    seen_ = row.string(0);
    if (row.is_null(1) || !read_.emplace(row.integer(1), now).second) continue;
    frames.push_back({.type = row.string(2),
                      .workspace_id = row.string(3),
                      .time = from_micros(row.integer(5)),
                      .payload = row.string(4)});
  }
  while (!read_.empty() && now - read_.begin()->second > remembered) read_.erase(read_.begin());
  seen_at_ = now;
  co_return frames;
}

void SharedEvents::look_back() {
  unsure_ = true;
  look();
}

void SharedEvents::look() {
  pending_ = true;
  news_.notify_all();
}

void SharedEvents::add(EventFrame frame) {
  if (!services_.events.has_subscribers()) return;
  told_.push_back(std::move(frame));
  news_.notify_all();
}

awaitable<void> SharedEvents::run() {
  bool failed = false;
  auto next = services_.clock.now() + look_interval;
  while (true) {
    // However much is told meanwhile, the rows are looked at in time.
    bool late = services_.clock.now() >= next;
    while (!late && told_.empty() && (failed || !pending_)) {
      const bool woken = co_await news_.wait_until(next);
      late = !woken;
    }
    std::vector<EventFrame> frames;
    const bool due = late || (pending_ && !failed);
    if (due) {
      pending_ = false;
      failed = false;
    }
    try {
      if (!due) {
        // Nothing but what was told.
      } else if (services_.clock.now() - seen_at_ > max_gap) {
        co_await start();
        services_.events.dismiss_all();
      } else {
        frames = co_await read();
      }
    } catch (const StoreError& error) {
      log::debug("events of other instances: {}", error.what());
      failed = true;
      unsure_ = true;
    }
    if (due) next = services_.clock.now() + (failed ? retry_interval : look_interval);
    std::ranges::move(std::exchange(told_, {}), std::back_inserter(frames));
    if (!frames.empty()) co_await services_.events.deliver(std::move(frames));
  }
}

awaitable<void> SharedEvents::delete_read(Services& services) {
  const std::unique_ptr<store::Session> session = services.store.session();
  co_await session->begin();
  co_await session->execute(
      "DELETE FROM shared_events WHERE written_at < clock_timestamp() - interval '150 seconds'");
  co_await session->commit();
}

}  // namespace molecule::server

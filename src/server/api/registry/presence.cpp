#include "server/api/registry/presence.hpp"

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "base/async/clock.hpp"
#include "base/log.hpp"
#include "server/api/context.hpp"

namespace molecule::server {

namespace {

constexpr std::chrono::seconds interval(5);
/// Few enough for a transaction of a millisecond or two.
constexpr std::size_t rows_a_transaction = 250;

using Row = std::pair<std::string, Presence::Heard>;

awaitable<void> write_rows(store::Session& session, const std::vector<Row>& rows) {
  co_await session.begin();
  for (const auto& [id, heard] : rows) {
    // Another instance may have heard from it later.
    co_await session.execute(
        "UPDATE workspaces SET last_heartbeat_at = $2, uptime_seconds = $3"
        " WHERE id = $1 AND coalesce(last_heartbeat_at, 0) < $2",
        id, heard.at, heard.uptime_seconds);
  }
  co_await session.commit();
}

}  // namespace

void Presence::heard(std::string_view workspace_id, Heard heard) {
  const auto found = unsaved_.find(workspace_id);
  if (found == unsaved_.end()) {
    unsaved_.emplace(workspace_id, heard);
  } else {
    found->second = heard;
  }
}

Presence::Heard Presence::last(std::string_view workspace_id, Heard stored) const {
  const auto found = unsaved_.find(workspace_id);
  return found != unsaved_.end() && found->second.at > stored.at ? found->second : stored;
}

awaitable<void> Presence::write(store::Database& store) {
  std::string last;
  while (true) {
    std::vector<Row> rows;
    auto next = unsaved_.upper_bound(last);
    for (; next != unsaved_.end() && rows.size() < rows_a_transaction; ++next) {
      rows.emplace_back(next->first, next->second);
    }
    if (rows.empty()) co_return;
    last = rows.back().first;
    const std::unique_ptr<store::Session> session = store.session();
    co_await write_rows(*session, rows);
    for (const auto& [id, written] : rows) {
      const auto found = unsaved_.find(id);
      // It may have been heard from again meanwhile.
      if (found != unsaved_.end() && found->second.at == written.at) unsaved_.erase(found);
    }
  }
}

awaitable<void> presence_task(Services& services) {
  while (true) {
    co_await sleep_for(services.clock, interval);
    try {
      co_await services.presence.write(services.store);
      note_tick(services, "presence");
    } catch (const StoreError& error) {
      log::error("presence: {}", error.what());
    }
  }
}

}  // namespace molecule::server

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "server/store/database.hpp"

namespace molecule::server {

struct Services;

/// When workspaces were last heard from, since the last write to the store. Most heartbeats change
/// nothing else: a durable commit for each of them would cost more than all other work. Whatever
/// else a heartbeat changes is written at once, and a crash takes nobody offline, because silence
/// counts from the restart (`sweep`).
class Presence {
 public:
  struct Heard {
    std::int64_t at = 0;
    std::int64_t uptime_seconds = 0;
  };

  void heard(std::string_view workspace_id, Heard heard);
  /// The newer of what the store and this know, `at` 0 for a workspace that was never heard from.
  Heard last(std::string_view workspace_id, Heard stored) const;
  std::size_t unsaved() const { return unsaved_.size(); }

  /// Writes all that is known so far, in transactions of a few hundred rows, so that other requests
  /// come between. What could not be written is kept for the next time. Throws `StoreError`.
  awaitable<void> write(store::Database& store);

 private:
  /// By id, which is by age: neighbours are on the same page of the store.
  std::map<std::string, Heard, std::less<>> unsaved_;
};

/// Writes presence every few seconds until cancelled. `services` must outlive the task.
awaitable<void> presence_task(Services& services);

}  // namespace molecule::server

#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/async/clock.hpp"
#include "base/async/event.hpp"
#include "workspace/sync/context.hpp"
#include "workspace/sync/poll_cursor.hpp"

namespace molecule::workspace {

/// Fetches what peers tell everybody, as long as it runs and this process is the owner. Platforms
/// that tell broadcasts from messages give them a row type of their own, which no other poll
/// includes (platform-api.md 10): a second, slower poll with a cursor of its own. Its failures are
/// not reported: those of the first poll are.
class Broadcasts {
 public:
  explicit Broadcasts(SyncContext context);
  Broadcasts(const Broadcasts&) = delete;
  Broadcasts& operator=(const Broadcasts&) = delete;

  /// Ends only by cancellation.
  awaitable<void> run();
  /// There is a broadcast: polls at once instead of after `Timing::broadcast_poll`.
  void wake();

 private:
  awaitable<void> poll();
  bool begin_run();
  std::chrono::seconds look_back();
  void failed(const platform::Error& error, const platform::ActivityQuery& query);
  void take(const platform::ActivityPage& page);
  void store(const std::optional<PollCursor::Batch>& batch);

  SyncContext context_;
  Event event_;
  bool asked_ = false;
  /// The next query: after `pause_`, or earlier if a broadcast is announced and nothing failed.
  Clock::duration pause_ = {};
  bool failing_ = false;
  unsigned term_ = 0;
  std::optional<PollCursor> cursor_;
  /// The inbox's cursor when the run began: it serves here too while there are no broadcasts.
  std::optional<std::string> anchor_;
};

}  // namespace molecule::workspace

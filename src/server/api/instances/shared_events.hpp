#pragma once

#include <string>
#include <vector>

#include "base/async/event.hpp"
#include "server/api/context.hpp"

namespace molecule::server {

/// Hands the events of other instances to the clients that listen here, each once, in the order in
/// which they were committed.
class SharedEvents {
 public:
  /// `services` must outlive this.
  explicit SharedEvents(Services& services) : services_(services), news_(services.clock) {}

  /// Events that are committed from now on will be read. Before the first client listens. Throws
  /// `StoreError`.
  awaitable<void> start();
  /// Reads whenever there are new rows, until cancelled.
  awaitable<void> run();
  /// There may be new rows.
  void look();
  /// An event of another instance that is no row.
  void add(EventFrame frame);

  /// Deletes the rows that every instance has read by now. One instance does so.
  static awaitable<void> delete_read(Services& services);

 private:
  awaitable<std::vector<EventFrame>> read();

  Services& services_;
  Event news_;
  bool pending_ = false;
  /// To be handed over with the rows that are read next.
  std::vector<EventFrame> told_;
  /// What this has read: PostgreSQL's snapshot of the last time. A number would not do, as numbers
  /// are drawn before they are committed.
  std::string seen_;
  Clock::time_point seen_at_;
};

}  // namespace molecule::server

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/async/event.hpp"
#include "server/api/context.hpp"

namespace molecule::server {

/// Hands the events of all instances, this one among them, to the clients that listen here, each
/// once, in the order in which they were committed.
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
  /// The server may have been restarted. After a crash it gives numbers of transactions that were
  /// not written anew, so that what was read has to be found out by the rows' own.
  void look_back();
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
  bool unsure_ = false;
  /// The numbers of the rows that were read, as long as there may be such rows.
  std::map<std::int64_t, Clock::time_point> read_;
};

}  // namespace molecule::server

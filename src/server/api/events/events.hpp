#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/clock.hpp"
#include "base/sqlite.hpp"

namespace molecule::server {

/// The platform's events (platform-api.md 2.10): persisted ones are rows of the transaction that
/// caused them; all go to the WebSocket clients once that transaction is durable.
class Events {
 public:
  /// A connected client; `wants` says whether it may see events of that workspace.
  struct Subscriber {
    std::function<bool(std::string_view workspace_id)> wants;
    std::function<void(const std::string& frame)> send;
  };

  Events(sqlite::Database& database, Clock& clock) : database_(database), clock_(clock) {}

  /// Persists and, after the commit, broadcasts. `payload` is a JSON object's text.
  void record(std::string_view type, std::string_view workspace_id, std::string payload);
  /// Broadcasts after the commit, without a row.
  void broadcast(std::string_view type, std::string_view workspace_id, std::string payload);

  /// Sends what was queued (after a commit), or forgets it (after a rollback).
  void publish();
  void discard() { queued_.clear(); }

  std::uint64_t subscribe(Subscriber subscriber);
  void unsubscribe(std::uint64_t id) { subscribers_.erase(id); }

 private:
  struct Queued {
    std::string workspace_id;
    std::string frame;
  };
  sqlite::Database& database_;
  Clock& clock_;
  std::vector<Queued> queued_;
  std::map<std::uint64_t, Subscriber> subscribers_;
  std::uint64_t last_id_ = 0;
};

}  // namespace molecule::server

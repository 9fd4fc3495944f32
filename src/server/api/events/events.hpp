#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/async/asio.hpp"
#include "base/async/clock.hpp"
#include "server/access/caller.hpp"
#include "server/store/database.hpp"

namespace molecule::server {

/// One event as sent to the WebSocket clients (platform-api.md 2.10).
struct EventFrame {
  std::string workspace_id;
  std::string text;
};

/// The connected WebSocket clients.
class EventHub {
 public:
  struct Subscriber {
    Caller caller;
    std::function<void(const std::string& frame)> send;
    /// The caller's token is no longer valid.
    std::function<void()> revoke;
  };

  /// `store` must outlive this.
  explicit EventHub(store::Database& store) : store_(store) {}

  /// Sends each frame to the clients that may see it. Calls are served one after the other.
  awaitable<void> publish(std::vector<EventFrame> frames);

  /// Revokes the clients whose token is no longer valid, which otherwise shows at the next event.
  awaitable<void> close_revoked();

  std::uint64_t subscribe(Subscriber subscriber);
  void unsubscribe(std::uint64_t id) { subscribers_.erase(id); }
  bool has_subscribers() const { return !subscribers_.empty(); }

 private:
  awaitable<void> send(const EventFrame& frame);

  store::Database& store_;
  std::map<std::uint64_t, Subscriber> subscribers_;
  std::uint64_t last_id_ = 0;
  std::deque<EventFrame> waiting_;
  bool publishing_ = false;
};

/// The events of one request. Recorded ones become rows of the request's transaction; all go to the
/// WebSocket clients once that transaction is durable.
class EventQueue {
 public:
  EventQueue(EventHub& hub, Clock& clock) : hub_(hub), clock_(clock) {}

  /// Adds a row and a frame. `payload` is a JSON object's text.
  void record(std::string_view type, std::string_view workspace_id, std::string payload);
  /// Adds a frame only.
  void broadcast(std::string_view type, std::string_view workspace_id, std::string_view payload);

  /// False if a broadcast would reach nobody.
  bool has_listeners() const { return hub_.has_subscribers(); }
  bool has_rows() const { return !rows_.empty(); }
  /// Writes the rows, before the commit.
  awaitable<void> write(store::Session& store);
  /// The frames to publish, after the commit.
  std::vector<EventFrame> take_frames() { return std::exchange(frames_, {}); }
  bool has_frames() const { return !frames_.empty(); }

 private:
  struct RecordedEvent {
    std::string type;
    std::string workspace_id;
    std::string payload;
    std::int64_t created_at;
  };
  EventHub& hub_;
  Clock& clock_;
  std::vector<RecordedEvent> rows_;
  std::vector<EventFrame> frames_;
};

}  // namespace molecule::server

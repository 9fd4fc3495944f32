#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/async/asio.hpp"
#include "base/async/clock.hpp"
#include "base/text/time.hpp"
#include "server/access/caller.hpp"
#include "server/store/database.hpp"

namespace molecule::server {

/// One event on its way to the clients that listen (platform-api.md 2.10).
struct EventFrame {
  std::string type;
  std::string workspace_id;
  WallTime time;
  /// A JSON object's text.
  std::string payload;
};

/// The clients that listen: on WebSockets, where each hears of all workspaces that it may
/// communicate with, and on event streams, each of one workspace.
class EventHub {
 public:
  struct Subscriber {
    Caller caller;
    /// Gets an event as text: a frame's, or a whole event of a stream.
    std::function<void(const std::string& text)> send;
    /// The caller's token is no longer valid, or the stream's workspace was removed.
    std::function<void()> revoke;
  };

  /// Both must outlive this.
  EventHub(store::Database& store, Clock& clock) : store_(store), clock_(clock) {}

  /// Sends each frame to the clients that may see it. Calls are served one after the other.
  awaitable<void> publish(std::vector<EventFrame> frames);

  /// Revokes the clients whose token is no longer valid, which otherwise shows at the next event.
  awaitable<void> close_revoked();

  std::uint64_t subscribe(Subscriber subscriber);
  /// For the events of one workspace, as text/event-stream.
  std::uint64_t subscribe_stream(const std::string& workspace_id, Subscriber subscriber);
  void unsubscribe(std::uint64_t id);
  bool has_subscribers() const { return !subscribers_.empty() || !streams_.empty(); }

 private:
  using Subscribers = std::map<std::uint64_t, Subscriber>;

  /// What says whether a subscriber may still listen: the tokens that were revoked lately, and the
  /// browsers' sessions that exist.
  struct Credentials {
    std::set<std::string> revoked_tokens;
    std::set<std::string> sessions;
  };

  awaitable<void> send(const EventFrame& frame);
  awaitable<void> send_to_sockets(store::Session& store, const EventFrame& frame);
  awaitable<void> send_to_streams(store::Session& store, const EventFrame& frame);
  awaitable<Credentials> find_credentials();

  store::Database& store_;
  Clock& clock_;
  Subscribers subscribers_;
  /// By workspace, as an event concerns few of many.
  std::map<std::string, Subscribers, std::less<>> streams_;
  /// The workspace of each stream.
  std::map<std::uint64_t, std::string> stream_workspaces_;
  std::uint64_t last_id_ = 0;
  std::deque<EventFrame> waiting_;
  bool publishing_ = false;
};

/// The events of one request. Recorded ones become rows of the request's transaction; all go to the
/// clients that listen once that transaction is durable.
class EventQueue {
 public:
  EventQueue(EventHub& hub, Clock& clock) : hub_(hub), clock_(clock) {}

  /// Adds a row and a frame. `payload` is a JSON object's text.
  void record(std::string_view type, std::string_view workspace_id, std::string payload);
  /// Adds a frame only.
  void broadcast(std::string_view type, std::string_view workspace_id, std::string_view payload);

  /// Tells whoever shows that part of a workspace, or of the platform if `workspace_id` is empty,
  /// to load it anew (page.md 2.5).
  void changed(std::string_view workspace_id, std::string_view part);

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

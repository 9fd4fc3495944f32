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
#include "base/async/event.hpp"
#include "base/text/time.hpp"
#include "server/access/caller.hpp"
#include "server/access/rules.hpp"
#include "server/api/instances/instances.hpp"
#include "server/store/database.hpp"

namespace molecule::server {

/// One event on its way to the clients that listen (platform-api.md 2.10).
struct EventFrame {
  std::string type;
  std::string workspace_id;
  WallTime time;
  /// A JSON object's text.
  std::string payload;
  /// Other instances read it as a row of the store; otherwise they are told of it.
  bool is_row = true;
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
    /// Events may have been missed: the client goes, and loads everything anew when it is back.
    std::function<void()> dismiss = {};
  };

  /// All must outlive this. `signals` reaches the other instances on the store; null if there can
  /// be none.
  EventHub(store::Database& store, Clock& clock, store::Signals* signals)
      : store_(store), clock_(clock), instances_(signals), news_(clock) {}

  /// Sends each frame to the clients that may see it, here and at other instances. Calls are served
  /// one after the other.
  awaitable<void> publish(std::vector<EventFrame> frames);
  /// The same for those that listen here.
  awaitable<void> deliver(std::vector<EventFrame> frames);
  /// Where several instances may share the store, `deliver` only hands over to this task, which
  /// runs until cancelled: a store that is away must not hold up requests that are committed.
  awaitable<void> deliver_in_background();
  /// Sends all clients away, so that they load everything anew.
  void dismiss_all();

  /// Revokes the clients whose token is no longer valid, which otherwise shows at the next event.
  awaitable<void> close_revoked();

  std::uint64_t subscribe(Subscriber subscriber);
  /// For the events of one workspace, as text/event-stream.
  std::uint64_t subscribe_stream(const std::string& workspace_id, Subscriber subscriber);
  void unsubscribe(std::uint64_t id);
  bool has_subscribers() const { return !subscribers_.empty() || !streams_.empty(); }
  Instances& instances() { return instances_; }

 private:
  using Subscribers = std::map<std::uint64_t, Subscriber>;

  /// What says whether a subscriber may still listen: the tokens that were revoked lately, and the
  /// browsers' sessions that exist.
  struct Credentials {
    std::set<std::string> revoked_tokens;
    std::set<std::string> sessions;
  };

  awaitable<void> send(const EventFrame& frame);
  awaitable<void> send_waiting();
  /// Too much of it waits for nobody: the listeners that it concerns are sent away.
  void add_waiting(EventFrame frame);
  void forget_waiting();
  void dismiss_stream(std::string_view workspace_id);
  /// By value, as they unsubscribe meanwhile.
  static void dismiss(Subscribers subscribers);
  /// Asks until the store answers, where others go on without this task.
  awaitable<Visibility> visibility(store::Session& store, Caller listener,
                                   std::string workspace_id);
  awaitable<void> send_to_sockets(store::Session& store, const EventFrame& frame);
  awaitable<void> send_to_streams(store::Session& store, const EventFrame& frame);
  awaitable<Credentials> find_credentials();

  store::Database& store_;
  Clock& clock_;
  Instances instances_;
  Subscribers subscribers_;
  /// By workspace, as an event concerns few of many.
  std::map<std::string, Subscribers, std::less<>> streams_;
  /// The workspace of each stream.
  std::map<std::uint64_t, std::string> stream_workspaces_;
  std::uint64_t last_id_ = 0;
  std::deque<EventFrame> waiting_;
  std::uint64_t waiting_bytes_ = 0;
  bool publishing_ = false;
  bool in_background_ = false;
  Event news_;
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
  /// Adds a small frame that the next one of its kind supersedes. It needs no transaction, and
  /// other instances may miss it.
  void signal(std::string_view type, std::string_view workspace_id, std::string_view payload);

  /// Tells whoever shows that part of a workspace, or of the platform if `workspace_id` is empty,
  /// to load it anew (page.md 2.5).
  void changed(std::string_view workspace_id, std::string_view part);

  /// False if a broadcast would reach nobody.
  bool has_listeners() const { return hub_.has_subscribers() || hub_.instances().shared(); }
  /// Something has to be written before the commit.
  bool has_rows() const { return !rows_.empty() || hub_.instances().shared(); }
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
  void add(std::string_view type, std::string_view workspace_id, std::string_view payload,
           bool is_row);

  EventHub& hub_;
  Clock& clock_;
  std::vector<RecordedEvent> rows_;
  std::vector<EventFrame> frames_;
};

}  // namespace molecule::server

#include "server/api/events/events.hpp"

#include <chrono>
#include <memory>
#include <utility>

#include "base/json/reader.hpp"
#include "base/json/writer.hpp"
#include "base/log.hpp"
#include "base/text/time.hpp"
#include "base/uuid.hpp"
#include "server/api/events/event_rows.hpp"
#include "server/store/store_error.hpp"

namespace molecule::server {

namespace {

std::string frame_text(const EventFrame& event) {
  json::Writer writer;
  {
    auto frame = writer.object();
    frame.field("event", event.type);
    frame.field("workspace_id", event.workspace_id);
    frame.field("timestamp", format_rfc3339(event.time));
    frame.raw("payload", event.payload);
  }
  return std::move(writer).take();
}

/// One line: a payload may hold JSON of a client, whose line breaks are blanks between its parts.
std::string stream_text(const EventFrame& event) {
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(event.time.time_since_epoch());
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("type", event.type);
    out.field("timestamp", std::int64_t{milliseconds.count()});
    out.raw("data", event.payload);
  }
  std::string text = "data: " + std::move(writer).take();
  for (char& character : text) {
    if (character == '\n' || character == '\r') character = ' ';
  }
  return text + "\n\n";
}

/// Lets the next call publish, however this one ends.
struct PublishingGuard {
  bool& publishing;
  ~PublishingGuard() { publishing = false; }
};

/// Of another workspace's events a workspace hears of its presence, and of what it takes part in:
/// not of what is said there.
bool concerns(const EventFrame& frame, const Caller& listener) {
  if (listener.is_admin() || frame.workspace_id == listener.workspace_id) return true;
  if (frame.type.starts_with("WORKSPACE_") || frame.type == "AGENT_CARD_UPDATED") return true;
  json::Document document;
  const auto payload = document.parse(frame.payload);
  if (!payload.ok()) return false;
  return (*payload)["source_id"].string_or("") == listener.workspace_id ||
         (*payload)["target_id"].string_or("") == listener.workspace_id;
}

/// Clocks of several instances may differ a little; an event shows a revocation in any case.
constexpr std::chrono::minutes revocation_window(5);

constexpr std::string_view part_changed = "PART_CHANGED";

constexpr std::chrono::milliseconds retry_interval(200);
/// Clients that are this far behind load everything anew sooner than they catch up. An event may be
/// as large as a request's body.
constexpr std::size_t max_waiting = 10'000;
constexpr std::uint64_t max_waiting_bytes = std::uint64_t{64} << 20;

std::uint64_t bytes_of(const EventFrame& frame) {
  return sizeof(EventFrame) + frame.type.size() + frame.workspace_id.size() + frame.payload.size();
}

}  // namespace

void EventQueue::record(std::string_view type, std::string_view workspace_id, std::string payload) {
  broadcast(type, workspace_id, payload);
  rows_.push_back({.type = std::string(type),
                   .workspace_id = std::string(workspace_id),
                   .payload = std::move(payload),
                   .created_at = to_micros(clock_.wall())});
}

void EventQueue::broadcast(std::string_view type, std::string_view workspace_id,
                           std::string_view payload) {
  add(type, workspace_id, payload, true);
}

void EventQueue::signal(std::string_view type, std::string_view workspace_id,
                        std::string_view payload) {
  add(type, workspace_id, payload, false);
}

void EventQueue::add(std::string_view type, std::string_view workspace_id, std::string_view payload,
                     bool is_row) {
  if (!has_listeners()) return;
  frames_.push_back({.type = std::string(type),
                     .workspace_id = std::string(workspace_id),
                     .time = clock_.wall(),
                     .payload = std::string(payload),
                     .is_row = is_row});
}

void EventQueue::changed(std::string_view workspace_id, std::string_view part) {
  json::Writer writer;
  {
    auto payload = writer.object();
    payload.field("part", part);
  }
  broadcast(part_changed, workspace_id, std::move(writer).take());
}

awaitable<void> EventQueue::write(store::Session& store) {
  for (const RecordedEvent& row : rows_) {
    co_await store.execute(
        "INSERT INTO events (id, event_type, workspace_id, payload, created_at)"
        " VALUES ($1, $2, $3, $4, $5)",
        ordered_uuid(row.created_at), row.type, row.workspace_id, row.payload, row.created_at);
  }
  rows_.clear();
  Instances& instances = hub_.instances();
  if (instances.shared()) co_await share_events(store, frames_);
}

awaitable<void> EventHub::send(const EventFrame& frame) {
  const bool streamed = streams_.contains(frame.workspace_id);
  if (subscribers_.empty() && !streamed) co_return;
  const std::unique_ptr<store::Session> session = store_.session();
  if (streamed) co_await send_to_streams(*session, frame);
  if (!subscribers_.empty()) co_await send_to_sockets(*session, frame);
}

// A client may unsubscribe while it is being served, so each one is looked up again.

awaitable<void> EventHub::send_to_sockets(store::Session& store, const EventFrame& frame) {
  const std::string text = frame_text(frame);
  std::uint64_t last = 0;
  while (true) {
    const auto next = subscribers_.upper_bound(last);
    if (next == subscribers_.end()) co_return;
    last = next->first;
    const Caller caller = next->second.caller;
    const Visibility seen = co_await visibility(store, caller, frame.workspace_id);
    const auto found = subscribers_.find(last);
    if (found == subscribers_.end()) continue;
    const Subscriber subscriber = found->second;
    if (seen == Visibility::visible && concerns(frame, subscriber.caller)) subscriber.send(text);
    if (seen == Visibility::revoked) subscriber.revoke();
  }
}

awaitable<void> EventHub::send_to_streams(store::Session& store, const EventFrame& frame) {
  // It tells views what to load anew. Before a removal it would end the streams without a word.
  if (frame.type == part_changed) co_return;
  const std::string text = stream_text(frame);
  const bool removed = frame.type == "WORKSPACE_REMOVED";
  std::uint64_t last = 0;
  while (true) {
    const auto streams = streams_.find(frame.workspace_id);
    if (streams == streams_.end()) co_return;
    const auto next = streams->second.upper_bound(last);
    if (next == streams->second.end()) co_return;
    last = next->first;
    const Subscriber subscriber = next->second;
    // A removed workspace's tokens are revoked with it, and its listeners are told why.
    Visibility seen = Visibility::visible;
    if (!removed) seen = co_await visibility(store, subscriber.caller, frame.workspace_id);
    if (!stream_workspaces_.contains(last)) continue;
    if (seen == Visibility::visible) subscriber.send(text);
    if (removed || seen != Visibility::visible) subscriber.revoke();
  }
}

awaitable<EventHub::Credentials> EventHub::find_credentials() {
  const std::unique_ptr<store::Session> session = store_.session();
  Credentials found;
  store::Rows rows = co_await session->query(
      "SELECT id FROM workspace_tokens WHERE revoked_at >= $1"
      " UNION SELECT id FROM org_tokens WHERE revoked_at >= $1",
      to_micros(clock_.wall() - revocation_window));
  while (rows.next()) found.revoked_tokens.insert(rows.string(0));
  store::Rows live = co_await session->query("SELECT id FROM sessions");
  while (live.next()) found.sessions.insert(live.string(0));
  co_return found;
}

awaitable<void> EventHub::close_revoked() {
  if (!has_subscribers()) co_return;
  const Credentials known = co_await find_credentials();
  std::vector<Subscriber> closed;
  const auto collect = [&](const Subscribers& subscribers) {
    for (const auto& [id, subscriber] : subscribers) {
      const Caller& caller = subscriber.caller;
      const bool ended = !caller.session_id.empty() && !known.sessions.contains(caller.session_id);
      if (ended || known.revoked_tokens.contains(caller.token_id)) closed.push_back(subscriber);
    }
  };
  collect(subscribers_);
  for (const auto& [workspace, subscribers] : streams_) collect(subscribers);
  for (const Subscriber& subscriber : closed) subscriber.revoke();
}

awaitable<Visibility> EventHub::visibility(store::Session& store, Caller listener,
                                           std::string workspace_id) {
  while (true) {
    try {
      co_return co_await event_visibility(store, listener, workspace_id);
    } catch (const StoreError&) {
      if (!in_background_) throw;
    }
    co_await sleep_for(clock_, retry_interval);
  }
}

awaitable<void> EventHub::publish(std::vector<EventFrame> frames) {
  if (instances_.shared()) {
    for (const EventFrame& frame : frames) {
      if (frame.is_row) {
        instances_.tell(Instances::Subject::rows, "");
      } else {
        instances_.tell(Instances::Subject::event, encode_event(frame));
      }
    }
    // They come back: rows are read here too, as a commit whose outcome is unknown may have made
    // some, and what is no row must not pass them.
    co_return;
  }
  co_await deliver(std::move(frames));
}

awaitable<void> EventHub::deliver(std::vector<EventFrame> frames) {
  if (in_background_ && !has_subscribers()) co_return;
  for (EventFrame& frame : frames) add_waiting(std::move(frame));
  if (in_background_) {
    news_.notify_all();
    co_return;
  }
  // Another call is already publishing: it sends these frames in their turn.
  if (publishing_) co_return;
  publishing_ = true;
  const PublishingGuard guard{publishing_};
  try {
    co_await send_waiting();
  } catch (...) {
    // Who misses an event loads everything anew.
    forget_waiting();
    dismiss_all();
    throw;
  }
}

void EventHub::add_waiting(EventFrame frame) {
  waiting_bytes_ += bytes_of(frame);
  waiting_.push_back(std::move(frame));
  if (waiting_.size() <= max_waiting && waiting_bytes_ <= max_waiting_bytes) return;
  log::warning("{} events wait for slow listeners, who are sent away", waiting_.size());
  for (const EventFrame& each : std::exchange(waiting_, {})) dismiss_stream(each.workspace_id);
  forget_waiting();
  dismiss(subscribers_);
}

void EventHub::forget_waiting() {
  waiting_.clear();
  waiting_bytes_ = 0;
}

awaitable<void> EventHub::send_waiting() {
  while (!waiting_.empty()) {
    const EventFrame frame = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= bytes_of(frame);
    co_await send(frame);
  }
}

awaitable<void> EventHub::deliver_in_background() {
  in_background_ = true;
  while (true) {
    while (waiting_.empty()) co_await news_.wait();
    co_await send_waiting();
  }
}

void EventHub::dismiss_all() {
  dismiss(subscribers_);
  std::vector<std::string> workspaces;
  for (const auto& [workspace, subscribers] : streams_) workspaces.push_back(workspace);
  for (const std::string& workspace : workspaces) dismiss_stream(workspace);
}

void EventHub::dismiss_stream(std::string_view workspace_id) {
  const auto found = streams_.find(workspace_id);
  if (found != streams_.end()) dismiss(found->second);
}

void EventHub::dismiss(Subscribers subscribers) {
  for (const auto& [id, subscriber] : subscribers) {
    if (subscriber.dismiss) subscriber.dismiss();
  }
}

std::uint64_t EventHub::subscribe(Subscriber subscriber) {
  const std::uint64_t id = ++last_id_;
  subscribers_.emplace(id, std::move(subscriber));
  return id;
}

std::uint64_t EventHub::subscribe_stream(const std::string& workspace_id, Subscriber subscriber) {
  const std::uint64_t id = ++last_id_;
  stream_workspaces_.emplace(id, workspace_id);
  streams_[workspace_id].emplace(id, std::move(subscriber));
  return id;
}

void EventHub::unsubscribe(std::uint64_t id) {
  subscribers_.erase(id);
  const auto workspace = stream_workspaces_.find(id);
  if (workspace == stream_workspaces_.end()) return;
  const auto streams = streams_.find(workspace->second);
  streams->second.erase(id);
  if (streams->second.empty()) streams_.erase(streams);
  stream_workspaces_.erase(workspace);
}

}  // namespace molecule::server

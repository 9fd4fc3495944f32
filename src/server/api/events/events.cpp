#include "server/api/events/events.hpp"

#include <utility>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "base/uuid.hpp"
#include "server/access/rules.hpp"

namespace molecule::server {

namespace {

std::string frame_text(std::string_view type, std::string_view workspace_id, WallTime time,
                       std::string_view payload) {
  json::Writer writer;
  {
    auto frame = writer.object();
    frame.field("event", type);
    frame.field("workspace_id", workspace_id);
    frame.field("timestamp", format_rfc3339(time));
    frame.raw("payload", payload);
  }
  return std::move(writer).take();
}

/// Lets the next call publish, however this one ends.
struct PublishingGuard {
  bool& publishing;
  std::deque<EventFrame>& waiting;
  ~PublishingGuard() {
    publishing = false;
    waiting.clear();
  }
};

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
  if (!hub_.has_subscribers()) return;
  frames_.push_back({.workspace_id = std::string(workspace_id),
                     .text = frame_text(type, workspace_id, clock_.wall(), payload)});
}

awaitable<void> EventQueue::write(store::Session& store) {
  for (const RecordedEvent& row : rows_) {
    co_await store.execute(
        "INSERT INTO events (id, event_type, workspace_id, payload, created_at)"
        " VALUES ($1, $2, $3, $4, $5)",
        ordered_uuid(row.created_at), row.type, row.workspace_id, row.payload, row.created_at);
  }
  rows_.clear();
}

awaitable<void> EventHub::send(const EventFrame& frame) {
  const std::unique_ptr<store::Session> session = store_.session();
  // A client may unsubscribe while it is being served, so each one is looked up again.
  std::uint64_t last = 0;
  while (true) {
    const auto next = subscribers_.upper_bound(last);
    if (next == subscribers_.end()) co_return;
    last = next->first;
    const Visibility visibility =
        co_await event_visibility(*session, next->second.caller, frame.workspace_id);
    const auto found = subscribers_.find(last);
    if (found == subscribers_.end()) continue;
    const Subscriber subscriber = found->second;
    if (visibility == Visibility::visible) subscriber.send(frame.text);
    if (visibility == Visibility::revoked) subscriber.revoke();
  }
}

awaitable<void> EventHub::close_revoked() {
  if (subscribers_.empty()) co_return;
  const std::unique_ptr<store::Session> session = store_.session();
  std::uint64_t last = 0;
  while (true) {
    const auto next = subscribers_.upper_bound(last);
    if (next == subscribers_.end()) co_return;
    last = next->first;
    const Caller caller = next->second.caller;
    if (caller.is_admin() && caller.token_id.empty() && caller.session_id.empty()) continue;
    const Visibility seen = co_await event_visibility(*session, caller, caller.workspace_id);
    const auto found = subscribers_.find(last);
    if (found == subscribers_.end() || seen != Visibility::revoked) continue;
    const Subscriber subscriber = found->second;
    subscriber.revoke();
  }
}

awaitable<void> EventHub::publish(std::vector<EventFrame> frames) {
  for (EventFrame& frame : frames) waiting_.push_back(std::move(frame));
  // Another call is already publishing: it sends these frames in their turn.
  if (publishing_) co_return;
  publishing_ = true;
  const PublishingGuard guard{.publishing = publishing_, .waiting = waiting_};
  while (!waiting_.empty()) {
    const EventFrame frame = std::move(waiting_.front());
    waiting_.pop_front();
    co_await send(frame);
  }
}

std::uint64_t EventHub::subscribe(Subscriber subscriber) {
  const std::uint64_t id = ++last_id_;
  subscribers_.emplace(id, std::move(subscriber));
  return id;
}

}  // namespace molecule::server

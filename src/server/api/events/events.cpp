#include "server/api/events/events.hpp"

#include <utility>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "base/uuid.hpp"

namespace molecule::server {

namespace {

std::string frame_of(std::string_view type, std::string_view workspace_id, WallTime time,
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

}  // namespace

void Events::record(std::string_view type, std::string_view workspace_id, std::string payload) {
  auto insert = database_.prepare(
      "INSERT INTO events (id, event_type, workspace_id, payload, created_at)"
      " VALUES (?1, ?2, ?3, ?4, ?5)");
  insert.bind(random_uuid(), type, workspace_id, payload, to_micros(clock_.wall())).run();
  broadcast(type, workspace_id, std::move(payload));
}

void Events::broadcast(std::string_view type, std::string_view workspace_id, std::string payload) {
  if (subscribers_.empty()) return;
  queued_.push_back({.workspace_id = std::string(workspace_id),
                     .frame = frame_of(type, workspace_id, clock_.wall(), payload)});
}

void Events::publish() {
  const std::vector<Queued> due = std::exchange(queued_, {});
  for (const Queued& event : due) {
    // A client that is dropped while it is served unsubscribes, so each is looked up anew.
    auto next = subscribers_.begin();
    while (next != subscribers_.end()) {
      const std::uint64_t id = next->first;
      const Subscriber subscriber = next->second;
      if (subscriber.wants(event.workspace_id)) subscriber.send(event.frame);
      next = subscribers_.upper_bound(id);
    }
  }
}

std::uint64_t Events::subscribe(Subscriber subscriber) {
  const std::uint64_t id = ++last_id_;
  subscribers_.emplace(id, std::move(subscriber));
  return id;
}

}  // namespace molecule::server

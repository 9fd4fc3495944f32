#include "server/api/events/event_rows.hpp"

#include "base/json/reader.hpp"
#include "base/json/writer.hpp"
#include "base/text/time.hpp"

namespace molecule::server {

namespace {

/// Of what is told.
constexpr std::size_t max_event_bytes = 3'500;

}  // namespace

awaitable<void> share_events(store::Session& store, const std::vector<EventFrame>& frames) {
  for (const EventFrame& frame : frames) {
    if (!frame.is_row) continue;
    co_await store.execute(
        "INSERT INTO shared_events (event_type, workspace_id, payload, at)"
        " VALUES ($1, $2, $3, $4)",
        frame.type, frame.workspace_id, frame.payload, to_micros(frame.time));
  }
}

std::string encode_event(const EventFrame& frame) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("type", frame.type);
    out.field("id", frame.workspace_id);
    out.field("at", to_micros(frame.time));
    out.field("payload", frame.payload);
  }
  std::string text = std::move(writer).take();
  if (text.size() > max_event_bytes) text.clear();
  return text;
}

std::optional<EventFrame> decode_event(std::string_view text) {
  json::Document document;
  const auto parsed = document.parse(text);
  if (!parsed || !parsed.value().is_object()) return std::nullopt;
  const json::Value event = parsed.value();
  EventFrame frame{.type = std::string(event["type"].string_or("")),
                   .workspace_id = std::string(event["id"].string_or("")),
                   .time = from_micros(event["at"].integer().value_or(0)),
                   .payload = std::string(event["payload"].string_or("")),
                   .is_row = false};
  if (frame.type.empty() || frame.payload.empty()) return std::nullopt;
  return frame;
}

}  // namespace molecule::server

#include <string_view>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "server/api/input.hpp"

namespace molecule::server {

namespace {

constexpr int page_rows = 100;

awaitable<Reply> event_page(store::RowStream row) {
  json::Writer writer;
  {
    auto list = writer.array();
    while (true) {
      const bool more = co_await row.next();
      if (!more) break;
      if (writer.text().size() > max_page_bytes) break;
      auto event = list.object();
      event.field("id", row.text(0));
      event.field("event_type", row.text(1));
      event.nullable("workspace_id", row.optional_string(2));
      event.raw("payload", row.text(3));
      event.field("created_at", format_rfc3339(from_micros(row.integer(4))));
    }
  }
  co_return json_reply(200, std::move(writer).take());
}

}  // namespace

awaitable<Reply> list_events(Context& context, Request) {
  store::RowStream row = context.store.stream(
      "SELECT id, event_type, workspace_id, payload, created_at FROM events"
      " ORDER BY seq DESC LIMIT $1",
      page_rows);
  co_return co_await event_page(std::move(row));
}

awaitable<Reply> list_workspace_events(Context& context, Request request) {
  const std::optional<std::string> id = parse_uuid(request.args.at(0));
  if (!id) co_return error_reply(400, "invalid workspace ID");
  store::RowStream row = context.store.stream(
      "SELECT id, event_type, workspace_id, payload, created_at FROM events"
      " WHERE workspace_id = $1 ORDER BY seq DESC LIMIT $2",
      *id, page_rows);
  co_return co_await event_page(std::move(row));
}

/// The HTTP server itself upgrades the connection once this route's access is granted.
awaitable<Reply> open_event_stream(Context&, Request) {
  co_return error_reply(400, "this is a WebSocket: an upgrade is required");
}

/// The HTTP server lets the events follow.
awaitable<Reply> stream_workspace_events(Context& context, Request request) {
  const Result<WorkspaceRow, Reply> workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  Reply reply = text_reply(200, "");
  reply.content_type = "text/event-stream";
  reply.headers.emplace_back("Cache-Control", "no-cache");
  reply.headers.emplace_back("X-Accel-Buffering", "no");
  reply.following = Following{.workspace_id = workspace->id, .caller = request.caller};
  co_return reply;
}

awaitable<Reply> health(Context&, Request) {
  co_return json_reply(200, R"({"status":"ok"})");
}

}  // namespace molecule::server

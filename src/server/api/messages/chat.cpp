// The person's side of a chat, beside its history (page.md 2.2, 2.8).

#include <string>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "server/api/input.hpp"

namespace molecule::server {

awaitable<Reply> new_chat_session(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  const std::int64_t now = context.now_micros();
  co_await context.store.execute("UPDATE workspaces SET chat_session_started_at = $2 WHERE id = $1",
                                 workspace->id, now);
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("workspace_id", workspace->id);
    out.field("chat_session_started_at", format_rfc3339(from_micros(now)));
  }
  const std::string text = std::move(writer).take();
  context.events.broadcast("SESSION_RESET", workspace->id, text);
  co_return json_reply(200, text);
}

awaitable<Reply> get_viewport(Context& context, Request) {
  store::Rows row =
      co_await context.store.query("SELECT value FROM platform_facts WHERE name = 'viewport'");
  if (row.next()) co_return json_reply(200, row.string(0));
  co_return json_reply(200, R"({"x":0,"y":0,"zoom":1})");
}

awaitable<Reply> put_viewport(Context& context, Request request) {
  Body body(request.body);
  const std::optional<double> x = body.number("x");
  const std::optional<double> y = body.number("y");
  const std::optional<double> zoom = body.number("zoom");
  if (!body.ok() || !x || !y || !zoom || *zoom <= 0) {
    co_return error_reply(400, "x, y and zoom must be numbers, zoom above 0");
  }
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("x", *x);
    out.field("y", *y);
    out.field("zoom", *zoom);
  }
  co_await context.store.execute(
      "INSERT INTO platform_facts (name, value) VALUES ('viewport', $1)"
      " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      std::move(writer).take());
  co_return json_reply(200, R"({"status":"saved"})");
}

}  // namespace molecule::server

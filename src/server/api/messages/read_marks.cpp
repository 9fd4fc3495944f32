#include "server/api/messages/read_marks.hpp"

#include <algorithm>

#include "base/json/writer.hpp"
#include "server/api/input.hpp"

namespace molecule::server {

awaitable<void> note_handed_out(Context& context, std::string workspace_id, std::int64_t seq) {
  std::int64_t& newest = context.services.handed_out[workspace_id];
  if (seq <= newest) co_return;
  newest = seq;
  context.services.unsaved_marks.insert(workspace_id);
  if (!context.events.has_listeners()) co_return;
  json::Writer payload;
  payload.object().field("seq", seq);
  context.events.signal("MESSAGE_FETCHED", workspace_id, std::move(payload).take());
  // A GET has no commit after which the router would send it.
  co_await context.services.events.publish(context.events.take_frames());
}

awaitable<void> write_read_marks(Context& context, const std::set<std::string>& workspaces) {
  for (const std::string& id : workspaces) {
    co_await context.store.execute(
        "UPDATE workspaces SET fetched_seq = $2 WHERE id = $1 AND fetched_seq < $2", id,
        context.services.handed_out[id]);
  }
}

awaitable<Reply> get_chat_marks(Context& context, Request request) {
  const auto acting = path_workspace(request);
  if (!acting) co_return acting.error();
  store::Rows row = co_await context.store.query(
      "SELECT fetched_seq, last_acked_seq FROM workspaces WHERE id = $1", *acting);
  if (!row.next()) co_return error_reply(404, "workspace not found");
  std::int64_t fetched = std::max(row.integer(0), row.integer(1));
  const auto recent = context.services.handed_out.find(*acting);
  if (recent != context.services.handed_out.end()) fetched = std::max(fetched, recent->second);
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("fetched_seq", fetched);
    out.field("handled_seq", row.integer(1));
  }
  co_return json_reply(200, std::move(writer).take());
}

}  // namespace molecule::server

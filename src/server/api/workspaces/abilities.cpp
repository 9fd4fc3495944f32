#include <optional>

#include "server/api/input.hpp"

namespace molecule::server {

/// platform-api.md 10.5: what the person allows a workspace. Members that are not sent stay.
awaitable<Reply> patch_abilities(Context& context, Request request) {
  Body body(request.body);
  const std::optional<bool> broadcast = body.boolean("broadcast_enabled");
  const std::optional<bool> talk = body.boolean("talk_to_user_enabled");
  const std::optional<bool> delegate = body.boolean("can_delegate");
  const std::optional<std::string> id = parse_uuid(request.args.at(0));
  if (!id) co_return error_reply(400, "invalid workspace ID");
  if (!body.ok()) co_return error_reply(400, "invalid request body");
  if (!broadcast && !talk && !delegate) {
    co_return error_reply(400, "at least one ability field required");
  }
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  co_await context.store.execute(
      "UPDATE workspaces SET broadcast_enabled = CASE WHEN $2 THEN $3 ELSE broadcast_enabled END,"
      " talk_to_user_enabled = CASE WHEN $4 THEN $5 ELSE talk_to_user_enabled END,"
      " can_delegate = CASE WHEN $6 THEN $7 ELSE can_delegate END, updated_at = $8 WHERE id = $1",
      workspace->id, broadcast.has_value(), broadcast, talk.has_value(), talk, delegate.has_value(),
      delegate, context.now_micros());
  context.events.changed(workspace->id, "agent");
  co_return json_reply(200, R"({"status":"updated"})");
}

}  // namespace molecule::server

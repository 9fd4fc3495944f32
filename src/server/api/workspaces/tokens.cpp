#include <optional>
#include <string>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "server/access/tokens.hpp"
#include "server/api/input.hpp"

namespace molecule::server {

awaitable<Reply> list_tokens(Context& context, Request request) {
  const Result<std::string, Reply> id = path_workspace(request);
  if (!id) co_return id.error();
  store::Rows row = co_await context.store.query(
      "SELECT id, prefix, created_at, last_used_at FROM workspace_tokens"
      " WHERE workspace_id = $1 AND revoked_at IS NULL ORDER BY created_at DESC"
      " LIMIT $2 OFFSET $3",
      *id, list_number(request, "limit", 1, 200, 50),
      list_number(request, "offset", 0, INT64_MAX, 0));
  json::Writer writer;
  {
    auto reply = writer.object();
    std::int64_t count = 0;
    {
      auto list = reply.array("tokens");
      for (; row.next(); ++count) {
        auto token = list.object();
        token.field("id", row.text(0));
        token.field("prefix", row.text(1));
        token.field("created_at", format_rfc3339(from_micros(row.integer(2))));
        std::optional<std::string> used;
        if (!row.is_null(3)) used = format_rfc3339(from_micros(row.integer(3)));
        token.nullable("last_used_at", used);
      }
    }
    reply.field("count", count);
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> create_token(Context& context, Request request) {
  const Result<WorkspaceRow, Reply> workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  store::Rows live = co_await context.store.query(
      "SELECT count(*) FROM workspace_tokens WHERE workspace_id = $1 AND revoked_at IS NULL",
      workspace->id);
  live.next();
  const std::int64_t max = context.services.limits.tokens;
  if (live.integer(0) >= max) {
    context.services.refusals.count("tokens", workspace->id);
    co_return error_reply(429, "maximum " + std::to_string(max) + " active tokens per workspace");
  }
  const std::string token = co_await mint_token(context, workspace->id);
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("auth_token", token);
    reply.field("workspace_id", workspace->id);
    reply.field("message", "Keep this token: it is shown only once.");
  }
  co_return json_reply(201, std::move(writer).take());
}

awaitable<Reply> revoke_token(Context& context, Request request) {
  const Result<std::string, Reply> id = path_workspace(request);
  if (!id) co_return id.error();
  const std::optional<std::string> token = parse_uuid(request.args.at(1));
  if (!token) co_return error_reply(400, "invalid token ID");
  const std::int64_t revoked = co_await context.store.execute(
      "UPDATE workspace_tokens SET revoked_at = $3"
      " WHERE id = $2 AND workspace_id = $1 AND revoked_at IS NULL",
      *id, *token, context.now_micros());
  if (revoked == 0) {
    co_return error_reply(404, "token not found or already revoked");
  }
  context.events.changed(*id, "tokens");
  context.tokens_revoked = true;
  co_return json_reply(200, R"({"status":"revoked"})");
}

}  // namespace molecule::server

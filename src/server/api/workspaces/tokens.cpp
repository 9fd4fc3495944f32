#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "server/access/auth.hpp"
#include "server/api/input.hpp"
#include "server/api/routes.hpp"

namespace molecule::server {

namespace {

constexpr std::int64_t most_tokens = 50;

/// A parameter that is a whole number in the range, else `otherwise`.
std::int64_t number_in(const Request& request, std::string_view name, std::int64_t least,
                       std::int64_t most, std::int64_t otherwise) {
  const std::string_view text = request.parameter(name).value_or("");
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = failure == std::errc() && end == text.data() + text.size();
  return whole && value >= least && value <= most ? value : otherwise;
}

Reply list_tokens(Context& context, const Request& request) {
  const Result<std::string, Reply> id = acting_workspace(context, request);
  if (!id) return id.error();
  auto row = context.database.prepare(
      "SELECT id, prefix, created_at, last_used_at FROM workspace_tokens"
      " WHERE workspace_id = ?1 AND revoked_at IS NULL ORDER BY created_at DESC"
      " LIMIT ?2 OFFSET ?3");
  row.bind(*id, number_in(request, "limit", 1, 200, 50),
           number_in(request, "offset", 0, INT64_MAX, 0));
  json::Writer writer;
  {
    auto reply = writer.object();
    std::int64_t count = 0;
    {
      auto list = reply.array("tokens");
      for (; row.step(); ++count) {
        auto token = list.object();
        token.field("id", row.text(0));
        token.field("prefix", row.text(1));
        token.field("created_at", format_rfc3339(from_micros(row.integer(2))));
        if (!row.is_null(3)) {
          token.field("last_used_at", format_rfc3339(from_micros(row.integer(3))));
        }
      }
    }
    reply.field("count", count);
  }
  return json_reply(200, std::move(writer).take());
}

Reply create_token(Context& context, const Request& request) {
  const Result<WorkspaceRow, Reply> workspace = existing_workspace(context, request);
  if (!workspace) return workspace.error();
  auto live = context.database.prepare(
      "SELECT count(*) FROM workspace_tokens WHERE workspace_id = ?1 AND revoked_at IS NULL");
  live.bind(workspace->id).step();
  if (live.integer(0) >= most_tokens) {
    return error_reply(429, "maximum 50 active tokens per workspace");
  }
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("auth_token", mint_token(context, workspace->id));
    reply.field("workspace_id", workspace->id);
    reply.field("message", "Keep this token: it is shown only once.");
  }
  return json_reply(201, std::move(writer).take());
}

Reply revoke_token(Context& context, const Request& request) {
  const Result<std::string, Reply> id = acting_workspace(context, request);
  if (!id) return id.error();
  const std::optional<std::string> token = parse_uuid(request.args.at(1));
  if (!token) return error_reply(400, "invalid token ID");
  auto update = context.database.prepare(
      "UPDATE workspace_tokens SET revoked_at = ?3"
      " WHERE id = ?2 AND workspace_id = ?1 AND revoked_at IS NULL");
  update.bind(*id, *token, now_micros(context)).run();
  if (context.database.changes() == 0) {
    return error_reply(404, "token not found or already revoked");
  }
  return json_reply(200, R"({"status":"revoked"})");
}

}  // namespace

std::vector<Route> token_routes() {
  return {{"GET", "/workspaces/:id/tokens", list_tokens},
          {"POST", "/workspaces/:id/tokens", create_token},
          {"DELETE", "/workspaces/:id/tokens/:token", revoke_token}};
}

}  // namespace molecule::server

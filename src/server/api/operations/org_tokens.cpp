// Organisation tokens: as powerful as the admin token, but named and revocable (platform-api.md
// 2.8).

#include <chrono>
#include <string>

#include "base/json/writer.hpp"
#include "base/random.hpp"
#include "base/text/time.hpp"
#include "server/access/tokens.hpp"
#include "server/api/input.hpp"
#include "server/api/workspaces/workspace_fields.hpp"

namespace molecule::server {

namespace {

constexpr std::size_t max_name_bytes_of_token = 100;
constexpr std::int64_t max_per_hour = 10;
constexpr std::int64_t hour = std::chrono::microseconds(std::chrono::hours(1)).count();

/// An unguarded loop of a script must not fill the list: 10 an hour, as on the hosted platform.
awaitable<bool> too_many(Context& context) {
  store::Rows row = co_await context.store.query(
      "SELECT count(*) FROM org_tokens WHERE created_at > $1", context.wall_micros() - hour);
  row.next();
  co_return row.integer(0) >= max_per_hour;
}

}  // namespace

awaitable<Reply> list_org_tokens(Context& context, Request) {
  store::Rows row = co_await context.store.query(
      "SELECT id, prefix, name, created_at, last_used_at FROM org_tokens"
      " WHERE revoked_at IS NULL ORDER BY created_at DESC, id");
  json::Writer writer;
  {
    auto reply = writer.object();
    std::size_t count = 0;
    {
      auto list = reply.array("tokens");
      for (; row.next(); ++count) {
        auto token = list.object();
        token.field("id", row.text(0));
        token.field("prefix", row.text(1));
        token.field("name", row.text(2));
        token.field("created_at", format_rfc3339(from_micros(row.integer(3))));
        std::optional<std::string> used;
        if (!row.is_null(4)) used = format_rfc3339(from_micros(row.integer(4)));
        token.nullable("last_used_at", used);
      }
    }
    reply.field("count", count);
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> create_org_token(Context& context, Request request) {
  std::string name;
  if (!request.body.empty()) {
    Body body(request.body);
    name = body.text("name");
    if (!body.ok() || !is_line(name, max_name_bytes_of_token)) {
      co_return error_reply(400, "name must be one line of at most 100 characters");
    }
  }
  const bool refused = co_await too_many(context);
  if (refused) {
    Reply reply = error_reply(429, "rate limit exceeded");
    reply.headers.emplace_back("Retry-After", "3600");
    co_return reply;
  }
  constexpr std::size_t prefix_characters = 8;
  const std::string token = random_token();
  const std::string id = context.new_id();
  co_await context.store.execute(
      "INSERT INTO org_tokens (id, name, hash, prefix, created_at) VALUES ($1, $2, $3, $4, $5)", id,
      name, sha256_hex(token), token.substr(0, prefix_characters), context.now_micros());
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("id", id);
    reply.field("prefix", token.substr(0, prefix_characters));
    reply.field("name", name);
    reply.field("auth_token", token);
    reply.field("warning", "Keep this token: it is shown only once, and it may do everything.");
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> revoke_org_token(Context& context, Request request) {
  const std::optional<std::string> id = parse_uuid(request.args.at(0));
  std::int64_t revoked = 0;
  if (id) {
    revoked = co_await context.store.execute(
        "UPDATE org_tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", *id,
        context.now_micros());
  }
  if (revoked == 0) co_return error_reply(404, "token not found or already revoked");
  context.tokens_revoked = true;
  json::Writer writer;
  writer.object().field("revoked", *id);
  co_return json_reply(200, std::move(writer).take());
}

}  // namespace molecule::server

#include <chrono>
#include <string>
#include <system_error>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "server/access/sessions.hpp"
#include "server/api/input.hpp"
#include "server/api/login/session_json.hpp"

namespace molecule::server {

namespace {

std::uint64_t size_of(const std::filesystem::path& file) {
  std::error_code failure;
  const std::uintmax_t size = std::filesystem::file_size(file, failure);
  return failure ? 0 : size;
}

}  // namespace

void write_session_row(json::Object& out, const store::Row& row, std::string_view current) {
  const std::int64_t used = row.integer(2);
  out.field("id", row.text(0));
  out.field("created_at", format_rfc3339(from_micros(row.integer(1))));
  out.field("last_used_at", format_rfc3339(from_micros(used)));
  out.field("expires_at", format_rfc3339(from_micros(used + session_lifetime.count())));
  out.field("user_agent", row.text(3));
  out.field("current", row.text(0) == current);
}

awaitable<void> write_session(Context& context, json::Object& out, std::string id,
                              std::string current) {
  static const std::string sql = std::string(session_columns) + " WHERE id = $1";
  store::Rows row = co_await context.store.query(sql, id);
  row.next();
  write_session_row(out, row, current);
}

awaitable<Reply> get_session(Context& context, Request request) {
  const std::string& id = request.caller.session_id;
  json::Writer writer;
  {
    auto out = writer.object();
    if (id.empty()) {
      out.field("session", nullptr);
    } else {
      auto session = out.object("session");
      co_await write_session(context, session, id, id);
    }
    out.field("version", MOLECULE_VERSION);
  }
  Reply reply = json_reply(200, std::move(writer).take());
  // The browser's copy ends 30 days after this, as the session does.
  if (const auto cookie = session_cookie(context, request)) {
    reply.headers.emplace_back("Set-Cookie", set_cookie(context, request, *cookie));
  }
  co_return reply;
}

awaitable<Reply> list_sessions(Context& context, Request request) {
  static const std::string sql = std::string(session_columns) +
                                 " WHERE last_used_at > $1 ORDER BY created_at DESC, id LIMIT 1000";
  store::RowStream row =
      context.store.stream(sql, context.wall_micros() - session_lifetime.count());
  json::Writer writer;
  {
    auto out = writer.object();
    auto list = out.array("sessions");
    while (true) {
      const bool more = co_await row.next();
      if (!more) break;
      auto session = list.object();
      write_session_row(session, row, request.caller.session_id);
    }
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> revoke_session(Context& context, Request request) {
  const std::int64_t revoked =
      co_await context.store.execute("DELETE FROM sessions WHERE id = $1", request.args.at(0));
  if (revoked == 0) co_return error_reply(404, "session not found");
  context.events.changed("", "sessions");
  context.tokens_revoked = true;
  co_return json_reply(200, R"({"status":"revoked"})");
}

awaitable<Reply> revoke_sessions(Context& context, Request request) {
  const std::int64_t revoked = co_await context.store.execute("DELETE FROM sessions WHERE id != $1",
                                                              request.caller.session_id);
  context.events.changed("", "sessions");
  context.tokens_revoked = true;
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("status", "revoked");
    out.field("count", revoked);
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> get_about(Context& context, Request) {
  store::Rows row = co_await context.store.query(
      "SELECT CAST(coalesce(sum(size), 0) AS BIGINT) FROM pending_uploads");
  row.next();
  const LoginInfo& login = context.services.login;
  const std::filesystem::path database = login.data / "platform.db";
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("version", MOLECULE_VERSION);
    out.field("data_dir", login.data.string());
    out.field("store_bytes", size_of(database) + size_of(database.string() + "-wal"));
    out.field("uploads_bytes", row.integer(0));
    out.field("started_at", format_rfc3339(from_micros(login.started_at)));
    if (login.token_file.empty()) {
      out.field("token_file", nullptr);
    } else {
      out.field("token_file", login.token_file);
    }
  }
  co_return json_reply(200, std::move(writer).take());
}

}  // namespace molecule::server

#include <string>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "server/access/access.hpp"
#include "server/access/sessions.hpp"
#include "server/api/input.hpp"
#include "server/api/login/session_json.hpp"

namespace molecule::server {

namespace {

/// Relative, because a proxy may have removed a prefix from the path.
Reply redirect(std::string_view location) {
  Reply reply = text_reply(303, "");
  reply.headers.emplace_back("Location", location);
  reply.headers.emplace_back("Cache-Control", "no-store");
  return reply;
}

Reply wrong_login() {
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("error", "the admin token or the code is wrong, used or expired");
    reply.field("code", "invalid_login");
  }
  return json_reply(401, std::move(writer).take());
}

/// A string, or null if it is empty.
void write_or_null(json::Object& out, std::string_view name, std::string_view text) {
  if (text.empty()) {
    out.field(name, nullptr);
  } else {
    out.field(name, text);
  }
}

}  // namespace

/// The one-time link: a GET that changes something, so it has a transaction of its own.
awaitable<Reply> open_login_link(Context& context, Request request) {
  const std::string_view code = request.parameter("code").value_or("");
  if (code.empty() || request.head) co_return redirect("./");
  co_await context.store.begin();
  const bool used = co_await use_login_code(context, code);
  if (!used) co_return redirect("./#login-expired");
  const NewSession made =
      co_await create_session(context, request.header("User-Agent").value_or(""));
  co_await context.store.commit();
  // A GET has no commit after which the router would send them.
  co_await context.services.events.publish(context.events.take_frames());
  Reply reply = redirect("./");
  reply.headers.emplace_back("Set-Cookie", set_cookie(context, request, made.secret));
  co_return reply;
}

awaitable<Reply> post_login(Context& context, Request request) {
  Body body(request.body);
  const std::string_view code = body.text("code");
  const std::string_view token = text::trim(body.text("token"));
  if (!body.ok() || code.empty() == token.empty()) {
    co_return error_reply(400, "a code or a token is required");
  }
  bool right = !token.empty() && is_admin_token(context, token);
  if (!code.empty()) right = co_await use_login_code(context, code);
  if (!right) co_return wrong_login();
  const NewSession made =
      co_await create_session(context, request.header("User-Agent").value_or(""));
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("status", "ok");
    auto session = out.object("session");
    co_await write_session(context, session, made.id, made.id);
  }
  Reply reply = json_reply(200, std::move(writer).take());
  reply.headers.emplace_back("Set-Cookie", set_cookie(context, request, made.secret));
  reply.headers.emplace_back("Cache-Control", "no-store");
  co_return reply;
}

awaitable<Reply> get_login_info(Context& context, Request) {
  const LoginInfo& login = context.services.login;
  json::Writer writer;
  {
    auto out = writer.object();
    write_or_null(out, "token_file", login.token_file);
    write_or_null(out, "token_variable", login.token_file.empty() ? "ADMIN_TOKEN" : "");
    out.field("link_command", login.link_command);
    out.field("version", MOLECULE_VERSION);
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> post_logout(Context& context, Request request) {
  const std::optional<std::string_view> cookie = session_cookie(context, request);
  std::optional<std::string> session;
  if (cookie) session = co_await find_session(context, *cookie);
  if (session && !has_trusted_origin(request)) co_return origin_required();
  if (session) {
    co_await context.store.execute("DELETE FROM sessions WHERE id = $1", *session);
    context.events.changed("", "sessions");
    context.tokens_revoked = true;
  }
  Reply reply = json_reply(200, R"({"status":"ok"})");
  reply.headers.emplace_back("Set-Cookie", set_cookie(context, request, ""));
  co_return reply;
}

}  // namespace molecule::server

#include "server/access/sessions.hpp"

#include <fmt/format.h>

#include "base/random.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "server/access/tokens.hpp"
#include "server/http/http_gate.hpp"

namespace molecule::server {

namespace {

constexpr std::size_t max_user_agent_bytes = 300;

/// True if the browser speaks https, to a proxy in front of us. What says so only changes the
/// cookie of the request's own sender, so it need not be trusted.
bool came_by_https(const Context& context, const Request& request) {
  if (const auto forwarded = request.header("X-Forwarded-Proto")) {
    const std::string_view nearest = text::trim(forwarded->substr(0, forwarded->find(',')));
    return text::equal_ignoring_case(nearest, "https");
  }
  if (const auto origin = request.header("Origin"); origin && *origin != "null") {
    return origin->starts_with("https://");
  }
  if (!context.services.base_url.starts_with("https://")) return false;
  // The same platform may be reached beside its proxy, where a browser would drop such a cookie,
  // but on the machine itself.
  const std::string asked(request.header("Host").value_or(""));
  const std::string host = host_name(asked).value_or("");
  return host == "127.0.0.1" || host == "localhost" || host == "[::1]" ||
         origin_of("https://" + asked) == origin_of(context.services.base_url);
}

}  // namespace

awaitable<std::string> mint_login_code(store::Session& store, std::int64_t now) {
  std::string code = random_token();
  co_await store.execute("INSERT INTO login_codes (hash, expires_at) VALUES ($1, $2)",
                         sha256_hex(code), now + code_lifetime.count());
  co_return code;
}

awaitable<bool> use_login_code(Context& context, std::string_view code) {
  const std::int64_t used =
      co_await context.store.execute("DELETE FROM login_codes WHERE hash = $1 AND expires_at > $2",
                                     sha256_hex(code), context.wall_micros());
  co_return used > 0;
}

awaitable<NewSession> create_session(Context& context, std::string_view user_agent) {
  context.credential_shown = true;
  NewSession made{.id = random_uuid(), .secret = random_token()};
  const std::string shown =
      text::one_line(text::prefix_bytes(text::repair_utf8(user_agent), max_user_agent_bytes));
  co_await context.store.execute(
      "INSERT INTO sessions (id, hash, user_agent, created_at, last_used_at)"
      " VALUES ($1, $2, $3, $4, $4)",
      made.id, sha256_hex(made.secret), shown, context.now_micros());
  context.events.changed("", "sessions");
  co_return made;
}

std::optional<std::string_view> session_cookie(const Context& context, const Request& request) {
  const std::optional<std::string_view> field = request.header("Cookie");
  if (!field || request.header("Authorization")) return std::nullopt;
  std::string_view rest = *field;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view item = text::trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t sign = item.find('=');
    if (sign == std::string_view::npos || item.substr(0, sign) != context.services.login.cookie) {
      continue;
    }
    const std::string_view value = item.substr(sign + 1);
    if (!value.empty()) return value;
  }
  return std::nullopt;
}

awaitable<std::optional<std::string>> find_session(Context& context, std::string_view cookie) {
  store::Rows row = co_await context.store.query(
      "SELECT id FROM sessions WHERE hash = $1 AND last_used_at > $2", sha256_hex(cookie),
      context.wall_micros() - session_lifetime.count());
  if (!row.next()) co_return std::nullopt;
  std::string id = row.string(0);
  context.services.sessions_used.insert(id);
  co_return id;
}

std::string set_cookie(const Context& context, const Request& request, std::string_view secret) {
  const auto age = secret.empty()
                       ? std::chrono::seconds(0)
                       : std::chrono::duration_cast<std::chrono::seconds>(session_lifetime);
  const LoginInfo& login = context.services.login;
  const std::string_view secure = came_by_https(context, request) ? " Secure;" : "";
  return fmt::format("{}={}; HttpOnly;{} SameSite=Strict; Path={}; Max-Age={}", login.cookie,
                     secret, secure, login.cookie_path, age.count());
}

bool has_trusted_origin(const Request& request) {
  return request.header("Origin").has_value() || request.header("Sec-Fetch-Site") == "same-origin";
}

awaitable<void> keep_sessions(Context& context, const std::set<std::string>& used,
                              std::int64_t now) {
  for (const std::string& id : used) {
    co_await context.store.execute("UPDATE sessions SET last_used_at = $2 WHERE id = $1", id, now);
  }
  co_await context.store.execute("DELETE FROM sessions WHERE last_used_at <= $1",
                                 now - session_lifetime.count());
  co_await context.store.execute("DELETE FROM login_codes WHERE expires_at <= $1", now);
}

}  // namespace molecule::server

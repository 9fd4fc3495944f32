#include "server/access/access.hpp"

#include <string>
#include <utility>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "server/access/sessions.hpp"
#include "server/access/tokens.hpp"

namespace molecule::server {

namespace {

constexpr std::string_view invalid_workspace_token = "invalid workspace auth token";
constexpr std::string_view missing_workspace_token = "missing workspace auth token";
constexpr std::string_view other_caller = "caller ID does not match workspace auth token";

Result<Caller, Reply> refuse(int status, std::string_view error) {
  return Failure{error_reply(status, error)};
}

/// Refusals that precede any check of the token.
std::optional<Reply> claim_refusal(Access access, std::string_view claimed) {
  if (access == Access::claimed_workspace && claimed.empty()) {
    return error_reply(400, "X-Workspace-ID header is required");
  }
  if (access == Access::sender) {
    for (const std::string_view kind : {"webhook:", "system:", "test:", "channel:"}) {
      if (claimed.starts_with(kind)) return error_reply(403, "invalid caller ID");
    }
  }
  return std::nullopt;
}

std::string_view missing_token(Access access) {
  if (access == Access::admin) return "admin auth required";
  if (access == Access::sender) return "missing caller auth token";
  return missing_workspace_token;
}

/// The admin, if `token` is an organisation's live token (platform-api.md 0.1).
awaitable<std::optional<Caller>> find_org_caller(Context& context, std::string_view token) {
  store::Rows row = co_await context.store.query(
      "SELECT id FROM org_tokens WHERE hash = $1 AND revoked_at IS NULL", sha256_hex(token));
  if (!row.next()) co_return std::nullopt;
  context.services.tokens_used.insert(row.string(0));
  co_return Caller::admin(row.string(0));
}

/// The decision for the admin token. It does not stand for a workspace: acting or speaking as one
/// takes that workspace's token.
Result<Caller, Reply> authorize_admin(Access access, std::string_view claimed, Caller admin) {
  if (access == Access::own_workspace || access == Access::claimed_workspace) {
    return refuse(401, invalid_workspace_token);
  }
  if (access == Access::sender && !claimed.empty()) return refuse(401, other_caller);
  return admin;
}

/// The decision for a caller that has the inbound secret of the path's workspace.
awaitable<Result<Caller, Reply>> authorize_inbound(Context& context, const Request& request) {
  const std::optional<std::string_view> secret = request.bearer();
  if (!secret) co_return refuse(401, "missing inbound secret");
  store::Rows row = co_await context.store.query(
      "SELECT platform_inbound_secret FROM workspaces WHERE id = $1 AND status != 'removed'",
      request.args.at(0));
  const bool known = row.next();
  if (known && row.is_null(0)) {
    co_return refuse(503, "the workspace has no inbound secret yet: it gets one when it registers");
  }
  if (!known || !text::equal_constant_time(row.text(0), *secret)) {
    co_return refuse(403, "wrong inbound secret");
  }
  co_return Caller();
}

/// The decision for a workspace's live token.
Result<Caller, Reply> authorize_workspace(Access access, const Request& request,
                                          std::string_view claimed, Caller caller) {
  switch (access) {
    case Access::workspace:
    case Access::own_workspace:
    case Access::workspace_state:
      if (!text::equal_ignoring_case(caller.workspace_id, request.args.at(0))) break;
      return caller;
    case Access::claimed_workspace:
      if (!text::equal_ignoring_case(caller.workspace_id, claimed)) break;
      return caller;
    case Access::sender:
      if (!claimed.empty() && !text::equal_ignoring_case(caller.workspace_id, claimed)) {
        return refuse(401, other_caller);
      }
      return caller;
    case Access::any_token:
      return caller;
    case Access::anyone:
    case Access::anyone_uncounted:
    case Access::login:
    case Access::admin:
    case Access::body_workspace:
    case Access::inbound_secret:
      break;
  }
  return refuse(401, invalid_workspace_token);
}

/// A page of another site can make a browser send the cookie, but not choose the Origin. Reading is
/// harmless, since it cannot see the answer; WebSockets know no such limit.
bool needs_origin(const Request& request) {
  return request.method != "GET" || request.path == "/ws";
}

/// The decision for a request without a Bearer: its cookie may stand for the admin.
awaitable<Result<Caller, Reply>> authorize_cookie(Context& context, Access access,
                                                  const Request& request,
                                                  std::string_view claimed) {
  const std::optional<std::string_view> cookie = session_cookie(context, request);
  std::optional<std::string> session;
  if (cookie) session = co_await find_session(context, *cookie);
  if (!session) co_return refuse(401, missing_token(access));
  if (needs_origin(request) && !has_trusted_origin(request)) {
    const Failure failure{origin_required()};
    co_return failure;
  }
  bool has_own_token = false;
  if (access == Access::workspace_state) {
    has_own_token = co_await has_live_token(context.store, request.args.at(0));
  }
  if (has_own_token) co_return refuse(401, invalid_workspace_token);
  Caller admin = Caller::admin();
  admin.session_id = *std::move(session);
  co_return authorize_admin(access, claimed, std::move(admin));
}

}  // namespace

bool is_admin_token(const Context& context, std::string_view token) {
  const std::string& admin_token = context.services.admin_token;
  return !admin_token.empty() && text::equal_constant_time(token, admin_token);
}

Reply origin_required() {
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("error", "a change with a cookie must come from the platform's own page");
    reply.field("code", "origin_required");
  }
  return json_reply(403, std::move(writer).take());
}

awaitable<Result<Caller, Reply>> authorize(Context& context, Access access,
                                           const Request& request) {
  const bool open = access == Access::anyone || access == Access::anyone_uncounted;
  if (open || is_proved_by_handler(access)) co_return Caller();
  if (access == Access::inbound_secret) co_return co_await authorize_inbound(context, request);
  const std::string_view claimed = request.header("X-Workspace-ID").value_or("");
  if (auto refusal = claim_refusal(access, claimed)) {
    const Failure failure{*std::move(refusal)};
    co_return failure;
  }
  const std::optional<std::string_view> token = request.bearer();
  if (!token) co_return co_await authorize_cookie(context, access, request, claimed);
  std::optional<Caller> admin;
  if (is_admin_token(context, *token)) admin = Caller::admin();
  std::optional<Caller> caller;
  if (!admin && access != Access::admin) {
    store::Rows found = co_await find_token(context, *token);
    caller = token_caller(context, std::move(found));
  }
  if (!admin && !caller) admin = co_await find_org_caller(context, *token);
  if (admin) {
    bool has_own_token = false;
    if (access == Access::workspace_state) {
      has_own_token = co_await has_live_token(context.store, request.args.at(0));
    }
    if (has_own_token) co_return refuse(401, invalid_workspace_token);
    co_return authorize_admin(access, claimed, *std::move(admin));
  }
  if (access == Access::admin) co_return refuse(401, "invalid admin auth token");
  if (!caller) {
    co_return refuse(
        401, access == Access::sender ? "invalid caller auth token" : invalid_workspace_token);
  }
  co_return authorize_workspace(access, request, claimed, *std::move(caller));
}

awaitable<Caller> identify(Context& context, const Request& request) {
  if (!request.bearer() && !session_cookie(context, request)) co_return Caller();
  Result<Caller, Reply> caller = co_await authorize(context, Access::any_token, request);
  if (!caller) co_return Caller();
  co_return *std::move(caller);
}

awaitable<std::optional<Reply>> claim_workspace(Context& context, const Request& request,
                                                std::string_view workspace_id) {
  context.body_access_decided = true;
  const std::optional<std::string_view> token = request.bearer();
  if (!token) co_return error_reply(401, missing_workspace_token);
  store::Rows found = co_await find_token(context, *token);
  const std::optional<Caller> caller = token_caller(context, std::move(found));
  if (!caller || !text::equal_ignoring_case(caller->workspace_id, workspace_id)) {
    co_return error_reply(401, invalid_workspace_token);
  }
  context.credential_shown = true;
  // The router counts the requests of all other routes: only here is the caller not yet known.
  const std::int64_t per_minute = context.services.limits.requests_per_minute;
  if (per_minute == 0) co_return std::nullopt;
  const auto rate = context.services.rates.count(caller->token_id, true, per_minute);
  if (!rate.refused) co_return std::nullopt;
  context.services.refusals.count("rate", workspace_id);
  co_return rate_refusal(rate);
}

awaitable<std::optional<Reply>> claim_registration(Context& context, const Request& request,
                                                   std::string_view workspace_id, bool known) {
  context.body_access_decided = true;
  bool has_own_token = false;
  if (known) has_own_token = co_await has_live_token(context.store, workspace_id);
  if (has_own_token) co_return co_await claim_workspace(context, request, workspace_id);
  const std::optional<std::string_view> token = request.bearer();
  if (!token) co_return error_reply(401, missing_workspace_token);
  context.credential_shown = is_admin_token(context, *token);
  if (context.credential_shown) co_return std::nullopt;
  const std::optional<Caller> admin = co_await find_org_caller(context, *token);
  context.credential_shown = admin.has_value();
  if (admin) co_return std::nullopt;
  co_return error_reply(401, invalid_workspace_token);
}

}  // namespace molecule::server

// Who may use which route: every route of the platform with every kind of credential.

#include "server/access/access.hpp"

#include <doctest/doctest.h>

#include <map>
#include <type_traits>

#include "server/platform.hpp"

using namespace molecule;
using server::Access;
using server::Handler;
using server::Route;
using test::Member;
using test::Platform;

// A route without an access does not compile.
static_assert(!std::is_default_constructible_v<Route>);
static_assert(!std::is_constructible_v<Route, const char*, const char*, Handler>);
static_assert(!std::is_aggregate_v<Route>);
static_assert(std::is_constructible_v<Route, const char*, const char*, Access, Handler>);

namespace {

// The result for each credential, in the order of `credentials` below: `-` 401, `x` 403, `o`
// reaches the handler.
const std::map<std::string, std::string> expected = {
    {"POST /registry/register", "--------o-"},
    {"POST /registry/heartbeat", "--------o-"},
    {"POST /registry/update-card", "--------o-"},
    {"GET /registry/discover/:id", "--------o-"},
    {"GET /registry/:id/peers", "--------oo"},
    {"POST /registry/check-access", "oooooooooo"},
    {"POST /workspaces", "---------o"},
    {"GET /workspaces", "---------o"},
    {"GET /workspaces/:id", "oooooooooo"},
    {"PATCH /workspaces/:id", "--------oo"},
    {"DELETE /workspaces/:id", "---------o"},
    {"GET /workspaces/:id/state", "--------o-"},
    {"GET /workspaces/:id/budget", "--------oo"},
    {"PATCH /workspaces/:id/budget", "---------o"},
    {"GET /workspaces/:id/tokens", "--------oo"},
    {"POST /workspaces/:id/tokens", "--------oo"},
    {"DELETE /workspaces/:id/tokens/:token", "--------oo"},
    {"GET /events", "---------o"},
    {"GET /events/:id", "---------o"},
    {"GET /ws", "-----ooooo"},
    {"POST /workspaces/:id/a2a", "-----xoooo"},
    {"GET /workspaces/:id/activity", "--------oo"},
    {"GET /workspaces/:id/events/stream", "--------oo"},
    {"POST /workspaces/:id/activity", "--------oo"},
    {"POST /workspaces/:id/activity/ack", "--------oo"},
    {"POST /workspaces/:id/notify", "--------oo"},
    {"POST /workspaces/:id/broadcast", "--------oo"},
    {"GET /workspaces/:id/chat-history", "--------oo"},
    {"POST /workspaces/:id/delegate", "--------oo"},
    {"GET /workspaces/:id/delegations", "--------oo"},
    {"POST /workspaces/:id/delegations/record", "--------oo"},
    {"POST /workspaces/:id/delegations/:delegation_id/update", "--------oo"},
    {"POST /workspaces/:id/chat/uploads", "--------oo"},
    {"GET /workspaces/:id/chat/download", "--------oo"},
    {"GET /workspaces/:id/pending-uploads/:file_id/content", "--------oo"},
    {"POST /workspaces/:id/pending-uploads/:file_id/ack", "--------oo"},
    {"GET /uploads/limits", "oooooooooo"},
    {"POST /workspaces/:id/memories", "--------oo"},
    {"GET /workspaces/:id/memories", "--------oo"},
    {"DELETE /workspaces/:id/memories/:memory_id", "--------oo"},
    {"GET /workspaces/:id/memory", "--------oo"},
    {"GET /workspaces/:id/memory/:key", "--------oo"},
    {"POST /workspaces/:id/memory", "--------oo"},
    {"DELETE /workspaces/:id/memory/:key", "--------oo"},
    {"PATCH /workspaces/:id/abilities", "---------o"},
    {"POST /workspaces/:id/pause", "--------oo"},
    {"POST /workspaces/:id/resume", "--------oo"},
    {"POST /workspaces/:id/restart", "--------oo"},
    {"GET /workspaces/:id/config", "--------oo"},
    {"PATCH /workspaces/:id/config", "--------oo"},
    {"GET /workspaces/:id/secrets/values", "--------o-"},
    {"GET /workspaces/:id/metrics", "--------oo"},
    {"GET /workspaces/:id/mail/summary", "--------oo"},
    {"POST /workspaces/:id/a2a/inbound", "--xxxxxxxx"},
    {"GET /workspaces/:id/v2/memories", "--------oo"},
    {"DELETE /workspaces/:id/v2/memories/:memory_id", "--------oo"},
    {"GET /workspaces/:id/v2/namespaces", "--------oo"},
    {"GET /workspaces/:id/traces", "--------oo"},
    {"GET /workspaces/:id/schedules", "--------oo"},
    {"GET /workspaces/:id/plugins", "--------oo"},
    {"GET /workspaces/:id/channels", "--------oo"},
    {"GET /templates", "---------o"},
    {"GET /plugins", "---------o"},
    {"GET /org/tokens", "---------o"},
    {"POST /org/tokens", "---------o"},
    {"DELETE /org/tokens/:token", "---------o"},
    {"GET /buildinfo", "oooooooooo"},
    {"GET /admin/liveness", "---------o"},
    {"GET /login", "oooooooooo"},
    {"POST /login", "oooooooooo"},
    {"GET /login/info", "oooooooooo"},
    {"POST /logout", "oooooooooo"},
    {"GET /session", "---------o"},
    {"GET /sessions", "---------o"},
    {"DELETE /sessions", "---------o"},
    {"DELETE /sessions/:session", "---------o"},
    {"GET /admin/about", "---------o"},
    {"POST /workspaces/:id/requests", "--------o-"},
    {"GET /workspaces/:id/requests", "--------oo"},
    {"GET /workspaces/:id/requests/inbox", "--------oo"},
    {"GET /workspaces/:id/requests/:rid", "--------oo"},
    {"POST /workspaces/:id/requests/:rid/respond", "--------o-"},
    {"POST /workspaces/:id/requests/:rid/messages", "--------o-"},
    {"POST /workspaces/:id/requests/:rid/cancel", "--------o-"},
    {"GET /requests/pending", "---------o"},
    {"GET /requests", "---------o"},
    {"POST /requests", "---------o"},
    {"GET /requests/:rid", "---------o"},
    {"POST /requests/:rid/respond", "---------o"},
    {"POST /requests/:rid/messages", "---------o"},
    {"POST /requests/:rid/cancel", "---------o"},
    {"POST /workspaces/:id/user-tasks", "--------o-"},
    {"GET /workspaces/:id/user-tasks", "--------oo"},
    {"PATCH /workspaces/:id/user-tasks/:tid", "--------o-"},
    {"DELETE /workspaces/:id/user-tasks/:tid", "--------o-"},
    {"POST /workspaces/:id/user-tasks/:tid/resolve", "--------xo"},
    {"GET /user-tasks/pending", "---------o"},
    {"POST /workspaces/:id/approvals", "--------o-"},
    {"GET /workspaces/:id/approvals", "--------oo"},
    {"POST /workspaces/:id/approvals/:aid/decide", "--------xo"},
    {"POST /workspaces/:id/approvals/:aid/withdraw", "--------o-"},
    {"GET /approvals/pending", "---------o"},
    {"POST /workspaces/:id/chat-session/new", "--------oo"},
    {"GET /workspaces/:id/chat-marks", "--------oo"},
    {"GET /workspaces/:id/session-search", "--------oo"},
    {"GET /search", "---------o"},
    {"GET /workspaces/:id/delegations/:delegation_id", "--------oo"},
    {"GET /workspaces/:id/external/connection", "--------oo"},
    {"POST /workspaces/:id/external/rotate", "--------oo"},
    {"POST /admin/workspaces/:id/tokens", "---------o"},
    {"GET /canvas/viewport", "---------o"},
    {"PUT /canvas/viewport", "---------o"},
    {"GET /health", "oooooooooo"},
    {"GET /ready", "oooooooooo"},
    {"GET /metrics", "---------o"},
    {"GET /", "oooooooooo"},
    {"GET /page/:name", "oooooooooo"},
    {"GET /page/overview", "---------o"},
    {"GET /page/talk", "---------o"},
    {"GET /page/log", "---------o"},
    {"GET /page/files", "---------o"},
    {"GET /page/install", "---------o"},
};

/// A family of workspaces, seen from `own`.
struct Family {
  Platform platform;
  Member parent = platform.add("parent");
  Member own = platform.add("own", parent.id);
  Member sibling = platform.add("sibling", parent.id);
  Member child = platform.add("child", own.id);
  Member cousin = platform.add("cousin", platform.add("uncle").id);
  Member gone = platform.add("gone", parent.id);
  std::string revoked = own.token;

  Family() {
    platform.revoke_tokens(own.id);
    own.token = platform.mint_token(own.id);
    platform.set(gone, "status = 'removed'");
    platform.set(own, "platform_inbound_secret = 'inbound'");
  }

  /// The Authorization fields, the admin's last: it may remove the workspace.
  std::vector<std::pair<std::string, std::string>> credentials() const {
    return {{"none", ""},
            {"malformed", "bearer " + own.token},
            {"nonsense", "Bearer nonsense"},
            {"revoked", "Bearer " + revoked},
            {"removed workspace's", "Bearer " + gone.token},
            {"cousin's", "Bearer " + cousin.token},
            {"sibling's", "Bearer " + sibling.token},
            {"child's", "Bearer " + child.token},
            {"own", "Bearer " + own.token},
            {"admin's", "Bearer " + platform.admin}};
  }

  char outcome(const Route& route, const std::string& authorization) {
    server::Request request;
    request.method = route.method;
    request.path = route.pattern;
    const std::size_t at = request.path.find(":id");
    if (at != std::string::npos) request.path.replace(at, 3, own.id);
    if (!authorization.empty()) request.headers.emplace_back("Authorization", authorization);
    if (route.access == Access::claimed_workspace) {
      request.headers.emplace_back("X-Workspace-ID", own.id);
    }
    const std::string body = R"({"id":")" + own.id + R"(","workspace_id":")" + own.id +
                             R"(","agent_card":{},"delivery_mode":"poll"})";
    request.body = body;
    const int status = platform.handle(std::move(request)).status;
    CHECK(status != 500);
    if (status == 401) return '-';
    return status == 403 ? 'x' : 'o';
  }
};

awaitable<server::Reply> forgetful(server::Context& context, server::Request) {
  context.events.record("FORGOTTEN", "x", "{}");
  co_return server::json_reply(200, "{}");
}

awaitable<server::Reply> refusing(server::Context&, server::Request) {
  co_return server::error_reply(400, "invalid request body");
}

}  // namespace

TEST_CASE("every route admits the right callers, and no others") {
  const std::vector<Route> routes = server::all_routes();
  for (const Route& route : routes) {
    const std::string name = std::string(route.method) + " " + std::string(route.pattern);
    CAPTURE(name);
    const auto row = expected.find(name);
    REQUIRE_MESSAGE(row != expected.end(), "a route without an expectation: ", name);
    Family family;
    std::string outcomes;
    for (const auto& [credential, authorization] : family.credentials()) {
      outcomes += family.outcome(route, authorization);
    }
    CHECK(outcomes == row->second);
  }
  CHECK(routes.size() == expected.size());
}

TEST_CASE("the sender of a message cannot claim another identity") {
  Family family;
  const auto status = [&](const std::string& token, const std::string& claimed) {
    family.platform.headers = {{"X-Workspace-ID", claimed}};
    return family.platform.post("/workspaces/" + family.own.id + "/a2a", token, "{}").status;
  };
  CHECK(status(family.sibling.token, family.sibling.id) == 200);
  CHECK(status(family.sibling.token, family.child.id) == 401);
  CHECK(status(family.platform.admin, family.sibling.id) == 401);
  CHECK(status(family.sibling.token, "system:x") == 403);
}

TEST_CASE("a handler that makes no access decision cannot succeed") {
  Platform platform;
  server::Router router(platform.services,
                        {{"POST", "/forgetful", Access::body_workspace, forgetful},
                         {"POST", "/refusing", Access::body_workspace, refusing}});
  const auto status = [&](const std::string& path) {
    server::Request request;
    request.method = "POST";
    request.path = path;
    return test::run(platform.loop, router.handle(std::move(request))).status;
  };
  CHECK(status("/forgetful") == 500);
  CHECK(platform.count("SELECT count(*) FROM events") == 0);
  CHECK(status("/refusing") == 400);
}

TEST_CASE("only the page may run its own scripts") {
  Platform platform;
  const auto policy = [&](const std::string& path) {
    server::Request request;
    request.method = "GET";
    request.path = path;
    return platform.handle(std::move(request)).policy;
  };
  CHECK(policy("/") == server::ContentPolicy::page);
  for (const char* path : {"/uploads/limits", "/health", "/workspaces", "/nothing"}) {
    CHECK(policy(path) == server::ContentPolicy::api);
  }
}

#include <doctest/doctest.h>

#include <stdexcept>

#include "server/platform.hpp"

using namespace molecule;
using test::Platform;

namespace {

awaitable<server::Reply> echo(server::Context&, server::Request request) {
  std::string joined;
  for (const std::string& arg : request.args) joined += arg + "|";
  co_return server::text_reply(200, joined);
}

awaitable<server::Reply> fail(server::Context& context, server::Request) {
  context.events.record("FAILED", "x", "{}");
  throw std::runtime_error("a bug");
  co_return server::Reply();
}

awaitable<server::Reply> refuse(server::Context& context, server::Request) {
  context.events.record("REFUSED", "x", "{}");
  co_return server::error_reply(409, "no");
}

awaitable<server::Reply> accept(server::Context& context, server::Request) {
  context.events.record("ACCEPTED", "x", "{}");
  co_return server::json_reply(200, "{}");
}

awaitable<server::Reply> full(server::Context&, server::Request) {
  throw server::StoreError(server::StoreError::Kind::unavailable, "database or disk is full");
  co_return server::Reply();
}

}  // namespace

TEST_CASE("routes are found by their segments") {
  Platform platform;
  server::Router router(platform.services, {{"GET", "/a/:id", server::Access::anyone, echo},
                                            {"GET", "/a/fixed", server::Access::anyone, accept},
                                            {"GET", "/a/:id/b/:c", server::Access::anyone, echo},
                                            {"POST", "/a/:id", server::Access::anyone, accept},
                                            {"GET", "/", server::Access::anyone, echo}});
  const auto ask = [&](std::string method, std::string path) {
    server::Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.query = {{"q", "1 2"}};
    return test::run(platform.loop, router.handle(std::move(request)));
  };
  CHECK(ask("GET", "/a/x").body == "x|");
  CHECK(ask("GET", "/a/x/b/y z").body == "x|y z|");
  CHECK(ask("GET", "/a/fixed").body == "{}");
  CHECK(ask("HEAD", "/a/x").body == "x|");
  CHECK(ask("GET", "/a/11111111-2222-4333-8444-ABCDEF555555").body ==
        "11111111-2222-4333-8444-abcdef555555|");
  CHECK(ask("GET", "/").status == 200);
  for (const char* path : {"/a", "/b", "/a//b/c", "/a/x/b", "//a/x", "a/x", "", "/A/x"}) {
    CAPTURE(path);
    CHECK(ask("GET", path).status == 404);
    CHECK(ask("GET", path).body == "404 page not found");
  }
  for (const char* method : {"DELETE", "PUT", "TRACE", "get"}) {
    CHECK(ask(method, "/a/x").status == 404);
  }
  CHECK(ask("GET", "/a/x/").status == 301);
  CHECK(ask("GET", "/a/x y\r\n/").headers.at(0).second == "../x%20y%0D%0A?q=1%202");
  CHECK(ask("POST", "/a/x/").status == 307);
  CHECK(ask("POST", "/a/x/b/c/").status == 404);
  CHECK(ask("GET", "/a/\xff").status == 400);
}

TEST_CASE("a failed request leaves no rows and sends no events") {
  Platform platform;
  std::vector<std::string> heard;
  platform.events.subscribe({.caller = server::Caller::admin(),
                             .send = [&](const std::string& frame) { heard.push_back(frame); },
                             .revoke = [] {}});
  server::Router router(platform.services, {{"POST", "/fail", server::Access::anyone, fail},
                                            {"POST", "/refuse", server::Access::anyone, refuse},
                                            {"POST", "/accept", server::Access::anyone, accept},
                                            {"POST", "/full", server::Access::anyone, full}});
  const auto ask = [&](std::string path) {
    server::Request request;
    request.method = "POST";
    request.path = std::move(path);
    return test::run(platform.loop, router.handle(std::move(request)));
  };
  CHECK(ask("/fail").status == 500);
  CHECK(ask("/refuse").status == 409);
  const auto unavailable = ask("/full");
  CHECK(unavailable.status == 503);
  CHECK(unavailable.body.find("platform_unavailable") != std::string::npos);
  CHECK(platform.count("SELECT count(*) FROM events") == 0);
  CHECK(heard.empty());
  CHECK(ask("/accept").status == 200);
  CHECK(platform.count("SELECT count(*) FROM events") == 1);
  CHECK(heard.size() == 1);
}

TEST_CASE("a subscriber may leave while it is served") {
  Platform platform;
  int served = 0;
  std::uint64_t first = 0;
  first = platform.events.subscribe({.caller = server::Caller::admin(),
                                     .send =
                                         [&](const std::string&) {
                                           ++served;
                                           platform.events.unsubscribe(first);
                                         },
                                     .revoke = [] {}});
  platform.events.subscribe({.caller = server::Caller::admin(),
                             .send = [&](const std::string&) { ++served; },
                             .revoke = [] {}});
  server::Context context(platform.services);
  context.events.broadcast("A", "x", "{}");
  context.events.broadcast("B", "x", "{}");
  platform.emit(context);
  CHECK(served == 3);
}

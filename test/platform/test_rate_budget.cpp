#include <doctest/doctest.h>

#include <string>

#include "platform/client.hpp"
#include "platform/rate_budget.hpp"
#include "support/run.hpp"
#include "support/scripted_server.hpp"
#include "support/virtual_clock.hpp"

using namespace molecule;
using platform::RateBudget;
using Purpose = RateBudget::Purpose;
using std::chrono::seconds;

namespace {

net::HttpResponse response(int limit, int remaining, int reset) {
  net::HttpResponse response;
  response.status = 200;
  response.headers = {{"X-RateLimit-Limit", std::to_string(limit)},
                      {"X-RateLimit-Remaining", std::to_string(remaining)},
                      {"X-RateLimit-Reset", std::to_string(reset)}};
  return response;
}

}  // namespace

TEST_CASE("fault F7: the last calls of a window are for heartbeats, then for polls") {
  test::VirtualClock clock;
  RateBudget budget(&clock);
  CHECK_FALSE(budget.wait(Purpose::agent));
  budget.read(response(600, 26, 30));
  CHECK_FALSE(budget.wait(Purpose::agent));
  budget.spend();
  CHECK(budget.wait(Purpose::agent) == seconds(31));
  CHECK_FALSE(budget.wait(Purpose::inbox));
  budget.read(response(600, 5, 10));
  CHECK(budget.wait(Purpose::inbox) == seconds(11));
  CHECK_FALSE(budget.wait(Purpose::presence));
  budget.read(response(600, 0, 10));
  CHECK_FALSE(budget.wait(Purpose::presence));
  clock.advance(seconds(12));
  CHECK_FALSE(budget.wait(Purpose::agent));
}

TEST_CASE("fault F7: a small limit is not kept whole, and none keeps nothing") {
  test::VirtualClock clock;
  RateBudget budget(&clock);
  budget.read(response(10, 2, 30));
  CHECK_FALSE(budget.wait(Purpose::agent));
  budget.read(response(10, 1, 30));
  CHECK(budget.wait(Purpose::agent));
  RateBudget unlimited(&clock);
  net::HttpResponse none;
  none.headers = {{"X-RateLimit-Limit", "unlimited"}};
  unlimited.read(none);
  CHECK_FALSE(unlimited.wait(Purpose::agent));
  net::HttpResponse odd = response(600, 0, 30);
  odd.headers[1].value = "-7";
  unlimited.read(odd);
  CHECK_FALSE(unlimited.wait(Purpose::agent));
}

TEST_CASE("fault F7: calls are known by their paths") {
  CHECK(RateBudget::purpose_of("POST /registry/heartbeat") == Purpose::presence);
  CHECK(RateBudget::purpose_of("POST /registry/register") == Purpose::presence);
  CHECK(RateBudget::purpose_of("GET /registry/x/peers") == Purpose::agent);
  CHECK(RateBudget::purpose_of("GET /workspaces/x/activity") == Purpose::inbox);
  CHECK(RateBudget::purpose_of("POST /workspaces/x/activity/ack") == Purpose::inbox);
  CHECK(RateBudget::purpose_of("POST /workspaces/x/notify") == Purpose::agent);
}

TEST_CASE("fault F7: a call that is held back is not sent, and says how long to wait") {
  const std::string own = "11111111-1111-4111-8111-111111111111";
  asio::io_context loop;
  test::VirtualClock clock;
  test::ScriptedServer server(loop);
  net::HttpClient http(loop.get_executor());
  platform::Client client(
      http, {.platform_url = server.url(), .workspace_id = own, .org_id = {}},
      [] { return std::string("token"); }, {}, &clock);
  const std::string peers = "GET /registry/" + own + "/peers";
  server.answer(peers, test::Canned{.body = "[]",
                                    .headers = {{"X-RateLimit-Limit", "600"},
                                                {"X-RateLimit-Remaining", "20"},
                                                {"X-RateLimit-Reset", "17"}}});
  server.answer("POST /registry/heartbeat", 200, R"({"status":"ok"})");
  CHECK(test::run(loop, client.peers()).ok());
  auto refused = test::run(loop, client.peers());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == platform::Errc::rate_limited);
  CHECK(refused.error().retry_after == seconds(18));
  CHECK(server.requests(peers).size() == 1);
  CHECK(test::run(loop, client.heartbeat({})).ok());
  clock.advance(seconds(20));
  CHECK(test::run(loop, client.peers()).ok());
}

#include <doctest/doctest.h>

#include <string>

#include "mcp/host.hpp"
#include "mcp/lines.hpp"
#include "mcp/offers.hpp"

namespace molecule::mcp::test {

namespace {

constexpr const char* tag = "io.modelcontextprotocol/subscriptionId";

std::string listen(std::string_view id, std::string_view uris) {
  return stateless(id, "subscriptions/listen",
                   R"("notifications":{"toolsListChanged":true,"resourceSubscriptions":)" +
                       std::string(uris) + "}");
}

}  // namespace

TEST_CASE("a listen is acknowledged first, with the subscriptions that are honoured") {
  Host host(make_offers());
  const Answer first = host.ask(listen("\"s\"", R"(["test://item/1","test://a","test://no/1"])"));
  CHECK(first["method"].string_or({}) == "notifications/subscriptions/acknowledged");
  CHECK(first["params"]["_meta"].dump() == R"({"io.modelcontextprotocol/subscriptionId":"s"})");
  CHECK(first["params"]["notifications"].dump() ==
        R"({"resourceSubscriptions":["test://a","test://item/1"]})");
  const Answer nothing = host.ask(
      stateless("2", "subscriptions/listen", R"("notifications":{"promptsListChanged":true})"));
  CHECK(nothing["params"]["notifications"].dump() == "{}");
  CHECK(nothing["params"]["_meta"][tag].integer() == 2);
}

TEST_CASE("each listen gets only its own updates, tagged with its id") {
  Host host(make_offers());
  (void)host.ask(listen("1", R"(["test://a"])"));
  (void)host.ask(listen("\"1\"", R"(["test://a","test://item/2"])"));
  host.session.resource_updated("test://a");
  bool number = false;
  for (int i = 0; i < 2; ++i) {
    const Answer update = host.receive();
    CHECK(update["method"].string_or({}) == "notifications/resources/updated");
    CHECK(update["params"]["uri"].string_or({}) == "test://a");
    number = number || update["params"]["_meta"][tag].integer() == 1;
  }
  CHECK(number);
  host.session.resource_updated("test://item/2");
  CHECK(host.receive()["params"]["_meta"][tag].string_or({}) == "1");
  host.session.resource_updated("test://item/3");
  host.expect_silence();
}

TEST_CASE("a listen that the host cancels gets no answer") {
  Host host(make_offers());
  (void)host.ask(listen("1", R"(["test://a"])"));
  CHECK(host.ask(listen("1", R"(["test://a"])")).code() == -32600);
  host.send(cancelled("1"));
  host.expect_silence();
  host.session.resource_updated("test://a");
  host.expect_silence();
  CHECK(host.ask(listen("1", R"(["test://a"])"))["params"]["_meta"][tag].integer() == 1);
}

TEST_CASE("when the session ends, each listen request is answered") {
  for (const bool cancel : {false, true}) {
    Host host(make_offers());
    (void)host.ask(listen("1", R"(["test://a"])"));
    (void)host.ask(listen("\"x\"", "[]"));
    if (cancel) {
      host.cancel();
    } else {
      host.close_input();
    }
    for (int i = 0; i < 2; ++i) {
      const Answer end = host.receive();
      CHECK(end["result"]["resultType"].string_or({}) == "complete");
      CHECK(end["result"]["_meta"][tag].dump() == end["id"].dump());
    }
    host.until([&host] { return host.ended(); });
    CHECK(host.rest().empty());
  }
}

TEST_CASE("listens and their URIs are limited, and invalid ones are rejected") {
  Limits limits;
  limits.concurrent_listens = 2;
  limits.subscribed_resources = 2;
  Host host(make_offers(), limits);
  CHECK(host.ask(listen("1", R"(["test://a","test://item/1","test://item/2"])")).code() == -32000);
  (void)host.ask(listen("1", "[]"));
  (void)host.ask(listen("2", "[]"));
  CHECK(host.ask(listen("3", "[]")).code() == -32000);
  host.send(cancelled("2"));
  CHECK(host.ask(listen("3", "[]"))["method"].present());
  host.send(cancelled("3"));
  for (const char* wrong : {"7", "{}", "[1]", "null"}) {
    CHECK(host.ask(listen("3", wrong)).code() == -32602);
  }
  CHECK(host.ask(stateless("3", "subscriptions/listen")).code() == -32602);
  CHECK(host.ask(request("3", "subscriptions/listen")).code() == -32601);
}

TEST_CASE("negotiated revisions: resources are subscribed to one by one") {
  Limits limits;
  limits.subscribed_resources = 1;
  Host host(make_offers(), limits);
  (void)host.initialize();
  const std::string uri = R"({"uri":"test://a"})";
  CHECK(host.ask(request("1", "resources/subscribe", uri))["result"].dump() == "{}");
  CHECK(host.ask(request("2", "resources/subscribe", uri))["result"].dump() == "{}");
  CHECK(host.ask(request("3", "resources/subscribe", R"({"uri":"test://item/1"})")).code() ==
        -32000);
  CHECK(host.ask(request("4", "resources/subscribe", R"({"uri":"test://no"})")).code() == -32002);
  CHECK(host.ask(request("5", "resources/subscribe")).code() == -32602);
  host.session.resource_updated("test://a");
  CHECK(host.receive()["params"].dump() == uri);
  CHECK(host.ask(request("6", "resources/unsubscribe", uri))["result"].dump() == "{}");
  host.session.resource_updated("test://a");
  host.expect_silence();
}

}  // namespace molecule::mcp::test

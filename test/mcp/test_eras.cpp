#include <doctest/doctest.h>

#include <string>

#include "mcp/host.hpp"
#include "mcp/lines.hpp"

namespace molecule::mcp::test {

namespace {

ServerInfo server_of(Era era) {
  ServerInfo server;
  server.name = "eras";
  server.version = "1";
  server.initialize_hosts = {"claude-code"};
  server.era = era;
  Tool tool;
  tool.name = "tool";
  tool.input_schema = R"({"type":"object"})";
  server.tools.push_back(std::move(tool));
  return server;
}

std::string discover_as(std::string_view client) {
  return request("1", "server/discover",
                 R"({"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                 R"("io.modelcontextprotocol/clientCapabilities":{},)"
                 R"("io.modelcontextprotocol/clientInfo":{"name":")" +
                     std::string(client) + R"(","version":"1"}}})");
}

}  // namespace

TEST_CASE("discover reports versions, capabilities and the server's name") {
  Host host;
  const Answer answer = host.ask(stateless("1", "server/discover"));
  CHECK(answer["result"]["supportedVersions"].dump() == R"(["2026-07-28"])");
  CHECK(answer["result"]["capabilities"].dump() ==
        R"({"tools":{},"experimental":{"claude/channel":{}}})");
  CHECK(answer["result"]["instructions"].string_or({}) == "Be brief.");
  CHECK(answer["result"]["resultType"].string_or({}) == "complete");
  CHECK(answer["result"]["ttlMs"].integer() == 0);
  CHECK(answer["result"]["cacheScope"].string_or({}) == "private");
  CHECK(answer["result"]["_meta"].dump() ==
        R"({"io.modelcontextprotocol/serverInfo":{"name":"test","title":"Test","version":"1"}})");
}

TEST_CASE("only results of the stateless revision have a resultType") {
  Host host;
  const Answer list = host.ask(stateless("1", "tools/list"));
  CHECK(list["result"]["resultType"].string_or({}) == "complete");
  CHECK(list["result"]["ttlMs"].integer().value_or(0) > 0);
  CHECK(list["result"]["cacheScope"].string_or({}) == "public");
  const Answer called = host.ask(stateless("1", "tools/call", R"("name":"echo")"));
  CHECK(called["result"]["resultType"].string_or({}) == "complete");
  CHECK_FALSE(called["result"]["ttlMs"].present());
  CHECK(called["result"]["_meta"]["io.modelcontextprotocol/serverInfo"].is_object());
  const Answer old = host.ask(request("1", "tools/list"));
  for (const char* member : {"resultType", "ttlMs", "cacheScope", "_meta"}) {
    CHECK_FALSE(old["result"][member].present());
  }
}

TEST_CASE("requests without the required _meta fail, unknown versions get ours listed") {
  Host host;
  CHECK(host.ask(request("1", "server/discover")).code() == -32602);
  CHECK(host.ask(request("1", "tools/list",
                         R"({"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}})"))
            .code() == -32602);
  const Answer unknown =
      host.ask(request("\"x\"", "tools/list",
                       R"({"_meta":{"io.modelcontextprotocol/protocolVersion":"v999","a":1}})"));
  CHECK(unknown.code() == -32022);
  CHECK(unknown["id"].string_or({}) == "x");
  CHECK(unknown["error"]["data"].dump() == R"({"supported":["2026-07-28"],"requested":"v999"})");
}

TEST_CASE("methods removed by the stateless revision are unknown in it") {
  Host host;
  for (const char* method :
       {"initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"}) {
    CHECK(host.ask(stateless("1", method)).code() == -32601);
  }
  (void)host.initialize("2025-03-26");
  CHECK(host.ask("[" + stateless("1", "tools/list") + "]")
            .document.root()
            .items()[0]["error"]["code"]
            .integer() == -32600);
}

TEST_CASE("both eras work on one pipe, message by message") {
  Host host;
  CHECK(host.ask(stateless("1", "tools/list"))["result"]["resultType"].present());
  CHECK(host.initialize("2025-06-18")["result"]["protocolVersion"].string_or({}) == "2025-06-18");
  host.send(call("1", "wait"));
  host.send(stateless("2", "tools/call", R"("name":"wait")"));
  host.expect_silence();
  CHECK(host.ask(stateless("1", "tools/list")).code() == -32600);  // In flight, whichever era.
  host.bench.open = true;
  host.bench.released.notify_all();
  for (int i = 0; i < 2; ++i) {
    const Answer answer = host.receive();
    CHECK(answer["result"]["resultType"].present() == (answer["id"].integer() == 2));
  }
  const Answer old = host.ask(request("3", "tools/list"));
  CHECK_FALSE(old["result"]["resultType"].present());
}

TEST_CASE("a host that supports pushes only after initialize is made to fall back") {
  Host host(server_of(Era::automatic));
  CHECK(host.ask(discover_as("claude-code")).code() == -32601);
  CHECK(host.ask(discover_as("codex"))["result"]["supportedVersions"].present());
  CHECK(host.initialize()["result"]["protocolVersion"].string_or({}) == "2025-11-25");
  // Only the probe is refused: other stateless requests are answered.
  CHECK(host.ask(stateless("1", "tools/list"))["result"]["resultType"].present());
}

TEST_CASE("the era can be fixed to initialize") {
  Host host(server_of(Era::initialize_only));
  CHECK(host.ask(discover_as("codex")).code() == -32601);
  CHECK_FALSE(host.ask(stateless("1", "tools/list"))["result"]["resultType"].present());
  CHECK(host.ask(stateless("1", "ping"))["result"].present());
}

TEST_CASE("the era can be fixed to stateless") {
  Host host(server_of(Era::stateless_only));
  CHECK(host.ask(discover_as("claude-code"))["result"]["supportedVersions"].present());
  CHECK(host.ask(request("1", "tools/list")).code() == -32602);
  CHECK(host.ask(request("1", "ping")).code() == -32602);
  const Answer hello = host.ask(request("1", "initialize", R"({"protocolVersion":"2025-11-25"})"));
  CHECK(hello.code() == -32022);
  CHECK(hello["error"]["data"]["requested"].string_or({}) == "2025-11-25");
  CHECK(host.ask(stateless("1", "tools/list"))["result"]["tools"].items().size() == 1);
}

}  // namespace molecule::mcp::test

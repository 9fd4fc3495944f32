#include <doctest/doctest.h>

#include <string>

#include "mcp/host.hpp"
#include "mcp/lines.hpp"

namespace molecule::mcp::test {

TEST_CASE("known versions are accepted, an unknown one gets the newest") {
  for (const std::string version : {"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"}) {
    Host host;
    CHECK(host.initialize(version)["result"]["protocolVersion"].string_or({}) == version);
  }
  Host host;
  for (const char* version : {"2026-07-28", "1999-01-01", "nonsense"}) {
    const Answer answer = host.initialize(version);
    CHECK(answer["result"]["protocolVersion"].string_or({}) == "2025-11-25");
  }
  CHECK(host.ask(request("1", "initialize"))["result"]["protocolVersion"].string_or({}) ==
        "2025-11-25");
  CHECK(host.ask(request("1", "initialize", R"({"protocolVersion":1})")).code() == -32602);
}

TEST_CASE("initialize reports the server and its capabilities") {
  Host host;
  const Answer answer = host.initialize();
  CHECK(answer["result"]["serverInfo"].dump() == R"({"name":"test","title":"Test","version":"1"})");
  CHECK(answer["result"]["capabilities"].dump() ==
        R"({"tools":{},"experimental":{"claude/channel":{}}})");
  CHECK(answer["result"]["instructions"].string_or({}) == "Be brief.");
}

TEST_CASE("each revision gets only the fields it defines") {
  const auto has = [](std::string_view version, std::string_view tool, std::string_view field) {
    Host host;
    const Answer hello = host.initialize(version);
    if (tool == "serverInfo") return hello["result"]["serverInfo"][field].present();
    const Answer list = host.ask(request("1", "tools/list"));
    for (const json::Value& entry : list["result"]["tools"].items()) {
      if (entry["name"].string_or({}) == tool) return entry[field].present();
    }
    FAIL("no such tool");
    return false;
  };
  CHECK_FALSE(has("2024-11-05", "echo", "annotations"));
  CHECK(has("2025-03-26", "echo", "annotations"));
  for (const char* field : {"title", "_meta"}) {
    CHECK_FALSE(has("2025-03-26", "echo", field));
    CHECK(has("2025-06-18", "echo", field));
  }
  CHECK_FALSE(has("2025-03-26", "structured", "outputSchema"));
  CHECK(has("2025-06-18", "structured", "outputSchema"));
  CHECK_FALSE(has("2025-03-26", "serverInfo", "title"));
  CHECK(has("2025-11-25", "serverInfo", "title"));
}

TEST_CASE("structured content matches the schema and is also sent as text") {
  Host host;
  const Answer failed = host.ask(call("1", "structured", R"({"fail":true})"));
  CHECK(failed["result"]["isError"].boolean() == true);
  CHECK_FALSE(failed["result"]["structuredContent"].present());
  CHECK(host.ask(call("1", "structured"))["result"]["structuredContent"].dump() == R"({"n":1})");
  (void)host.initialize("2025-03-26");
  CHECK_FALSE(host.ask(call("1", "structured"))["result"]["structuredContent"].present());
}

TEST_CASE("ping, lists and calls work before initialize") {
  Host host;
  CHECK(host.ask(call("1", "echo", R"({"a":"b"})"))["result"]["isError"].boolean() == false);
  CHECK(host.ask(request("2", "tools/list"))["result"]["tools"].items().size() == 5);
  CHECK(host.ask(R"({"jsonrpc":"2.0","id":3,"method":"ping"})").text ==
        R"({"jsonrpc":"2.0","id":3,"result":{}})");
  CHECK(host.ask(R"({"jsonrpc":"2.0","id":3,"method":"ping","params":null})")["result"].present());
}

TEST_CASE("a line that is not JSON is a parse error, and the session continues") {
  Host host;
  const std::string deep(2000, '[');
  for (const std::string& line :
       {std::string("nonsense"), std::string("{"), std::string("{}{}"), std::string("\"\xFF\""),
        std::string("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xC3\x28\"}"), deep,
        std::string("\x00\x01", 2), std::string("{\"id\":1,}")}) {
    const Answer answer = host.ask(line);
    CHECK(answer.code() == -32700);
    CHECK(answer["id"].is_null());
    host.expect_silence();
  }
}

TEST_CASE("JSON that is not a message is an invalid request") {
  Host host;
  for (const char* line : {"1", "null", "\"text\"", "true", "{}", R"({"jsonrpc":"2.0"})",
                           R"({"jsonrpc":"1.0"})", R"({"id":null,"jsonrpc":"2.0","method":"ping"})",
                           R"({"method":"ping"})", R"({"jsonrpc":"2.0","id":1.5,"method":"ping"})",
                           R"({"jsonrpc":2,"method":"ping"})", R"({"jsonrpc":"2.0","method":1})",
                           R"([])", R"([1])", R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])"}) {
    const Answer answer = host.ask(line);
    CHECK_MESSAGE(answer.code() == -32600, line);
    CHECK(answer["id"].is_null());
    host.expect_silence();
  }
  CHECK(host.ask(R"({"id":7,"method":"ping"})").text.find(R"("id":7,)") != std::string::npos);
}

TEST_CASE("params of the wrong type are invalid params") {
  Host host;
  for (const std::string& line :
       {request("1", "ping", "[]"), request("1", "ping", "1"), request("1", "tools/call", "[]"),
        request("1", "tools/call", "\"x\""), request("1", "tools/call"),
        request("1", "tools/call", R"({"name":1})"), request("1", "tools/call", "null"),
        call("1", "no_such_tool"), call("1", "echo", "[]"), call("1", "echo", "1"),
        request("1", "tools/list", R"({"cursor":"x"})"),
        request("1", "tools/list", R"({"cursor":1})")}) {
    const Answer answer = host.ask(line);
    CHECK_MESSAGE(answer.code() == -32602, line);
    CHECK(answer["id"].integer() == 1);
  }
  CHECK(host.ask(request("1", "tools/list", R"({"cursor":null})"))["result"].present());
}

TEST_CASE("unknown methods fail; unknown notifications and stray responses are ignored") {
  Host host;
  for (const char* method : {"nope", "", "logging/setLevel", "resources/list", "prompts/list",
                             "subscriptions/listen", "notifications/initialized"}) {
    CHECK(host.ask(request("1", method)).code() == -32601);
  }
  host.send(R"({"jsonrpc":"2.0","method":"notifications/nope"})");
  host.send(R"({"jsonrpc":"2.0","method":"ping"})");
  host.send(R"({"jsonrpc":"2.0","method":"tools/call","params":[]})");
  host.send(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":7})");
  host.send(R"({"jsonrpc":"2.0","id":1,"result":{}})");
  host.send(R"({"jsonrpc":"2.0","id":null,"error":{"code":1}})");
  host.expect_silence();
}

TEST_CASE("absent and null arguments become an empty object; _meta reaches the tool") {
  Host host;
  CHECK(text_of(host.ask(call("1", "echo", "null"))) == "{}");
  CHECK(text_of(host.ask(request("1", "tools/call", R"({"name":"echo"})"))) == "{}");
  CHECK(text_of(host.ask(call("1", "echo", R"({"a":[1]})", R"(,"_meta":{"note":"n"})"))) ==
        R"({"a":[1]})");
  CHECK(host.bench.seen_meta == "n");
}

TEST_CASE("a lone surrogate becomes U+FFFD") {
  Host host;
  const Answer answer = host.ask(call("1", "echo", R"({"a":"x\ud800y\udc00"})"));
  CHECK(text_of(answer) == "{\"a\":\"x\xEF\xBF\xBDy\xEF\xBF\xBD\"}");
}

TEST_CASE("ids are echoed exactly") {
  Host host;
  for (const char* id :
       {"0", "-1", "9007199254740993", R"("a\u0062\"c")", "\"\"", "\"\xE2\x82\xAC\""}) {
    CHECK(host.ask(request(id, "ping")).text ==
          R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"result":{}})");
    CHECK(host.ask(call(id, "echo"))
              .text.starts_with(R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"result")"));
  }
}

TEST_CASE("any split of the input gives the same answers") {
  const std::string input = "\xEF\xBB\xBF" + request("1", "ping") + "\r\n\n" +
                            call("2", "echo", "{\"a\":\"\xF0\x9F\x98\x80\"}") + "\n" + "bad\n" +
                            request("\"\xC3\xA4\"", "ping") + "\n";
  const auto answers = [&input](std::size_t piece) {
    Host host;
    for (std::size_t at = 0; at < input.size(); at += piece) {
      host.send_bytes(std::string_view(input).substr(at, piece));
      host.settle();
    }
    std::string all;
    for (int i = 0; i < 4; ++i) all += host.receive().text + '\n';
    return all;
  };
  const std::string whole = answers(input.size());
  for (const std::size_t piece : {1, 2, 3, 5, 7, 64}) CHECK(answers(piece) == whole);
}

TEST_CASE("nothing is pushed before notifications/initialized") {
  Host host;
  int initialized = 0;
  std::string name;
  host.session.on_initialized = [&](const ClientInfo& client) {
    ++initialized;
    name = client.name + ' ' + client.version + ' ' + client.protocol_version;
  };
  host.session.notify("notifications/x", "{}");
  host.send(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  host.session.notify("notifications/x", "{}");
  host.expect_silence();
  CHECK(initialized == 0);
  (void)host.initialize("2025-06-18");
  host.send(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  host.expect_silence();
  CHECK(initialized == 1);
  CHECK(name == "a host 7 2025-06-18");
  host.session.notify("notifications/x", "{ \"content\":\n\"a\\nb\" }");
  CHECK(host.receive().text ==
        R"({"jsonrpc":"2.0","method":"notifications/x","params":{"content":"a\nb"}})");
  (void)host.ask(request("1", "initialize"));
  host.session.notify("notifications/x", "{}");
  host.expect_silence();
  host.send(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  host.expect_silence();
  CHECK(initialized == 2);
  CHECK_THROWS_AS(host.session.notify("notifications/x", "nonsense"), std::invalid_argument);
}

TEST_CASE("on_first_answer is called exactly once") {
  Host host;
  int calls = 0;
  host.session.on_first_answer = [&calls] { ++calls; };
  host.send(R"({"jsonrpc":"2.0","method":"notifications/x"})");
  host.settle();
  CHECK(calls == 0);
  host.expect_silence();
  host.settle();
  CHECK(calls == 1);
  host.expect_silence();
  host.settle();
  CHECK(calls == 1);
}

TEST_CASE("malformed JSON or a duplicate name in ServerInfo throws") {
  asio::io_context loop;
  SystemClock clock;
  Bench bench(clock);
  const Channel pipe = make_pipe();
  const auto make = [&](ServerInfo server) {
    Session session(loop.get_executor(), clock, std::move(server), pipe.read.get(),
                    pipe.write.get());
  };
  ServerInfo twice = make_server(bench);
  twice.tools.push_back(twice.tools.front());
  CHECK_THROWS_AS(make(twice), std::invalid_argument);
  ServerInfo broken = make_server(bench);
  broken.tools.front().input_schema = "[]";
  CHECK_THROWS_AS(make(broken), std::invalid_argument);
}

}  // namespace molecule::mcp::test

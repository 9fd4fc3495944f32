#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "mcp/host.hpp"
#include "mcp/lines.hpp"

namespace molecule::mcp::test {

TEST_CASE("a hundred waiting calls delay neither a ping nor another call") {
  Host host;
  (void)host.initialize();
  for (int i = 0; i < 100; ++i) host.send(call(std::to_string(i), "wait"));
  host.expect_silence();
  CHECK(host.bench.waiting == 100);
  CHECK(text_of(host.ask(call("\"other\"", "echo"))) == "{}");
  host.bench.open = true;
  host.bench.released.notify_all();
  for (int i = 0; i < 100; ++i) CHECK(text_of(host.receive()) == "waited");
}

TEST_CASE("a cancelled call ends at once and gets no answer") {
  Host host;
  host.send(call(R"("a\u0062")", "wait"));
  host.expect_silence();
  const auto begun = std::chrono::steady_clock::now();
  host.send(cancelled(R"("\u0061b")"));
  host.until([&host] { return host.bench.cancelled == 1; });
  CHECK(host.bench.cancelled_at - begun < std::chrono::milliseconds(10));
  CHECK(host.bench.waiting == 0);
  host.expect_silence();
  // The id is free again, and cancelling ended or unknown calls has no effect.
  CHECK(text_of(host.ask(call(R"("ab")", "echo"))) == "{}");
  for (const char* id : {R"("ab")", "77", "null", "{}", "1.5"}) host.send(cancelled(id));
  host.expect_silence();
}

TEST_CASE("a cancellation affects only the call that it names") {
  Host host;
  host.send(call("1", "wait"));
  host.send(call(R"("1")", "wait"));
  host.send(cancelled(R"("1")"));
  host.until([&host] { return host.bench.cancelled == 1; });
  host.bench.open = true;
  host.bench.released.notify_all();
  CHECK(host.receive()["id"].integer() == 1);
  host.expect_silence();
}

TEST_CASE("an id that is in flight cannot be reused") {
  Host host;
  host.send(call("1", "wait"));
  for (int i = 0; i < 2; ++i) CHECK(text_of(host.ask(call("2", "echo"))) == "{}");
  CHECK(host.ask(call("1", "echo")).code() == -32600);
  CHECK(host.ask(request("1", "ping")).code() == -32600);
  host.bench.open = true;
  host.bench.released.notify_all();
  CHECK(text_of(host.receive()) == "waited");
  CHECK(host.ask(request("1", "ping"))["result"].present());
}

TEST_CASE("an exception ends the call, not the session") {
  Host host;
  const Answer answer = host.ask(call("1", "fail"));
  CHECK(answer.code() == -32603);
  CHECK(answer.text.find("on purpose") == std::string::npos);
  host.expect_silence();
}

TEST_CASE("progress is sent only if there is a token, and keeps the token's type") {
  Host host;
  for (const char* token : {"0", "\"0\"", "\"\"", "-3", "9007199254740993"}) {
    host.send(
        call("1", "progress", "{}", R"(,"_meta":{"progressToken":)" + std::string(token) + "}"));
    const std::string start =
        R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":)" +
        std::string(token);
    CHECK(host.receive().text == start + R"(,"progress":1,"total":3,"message":"first \n line"}})");
    CHECK(host.receive().text == start + R"(,"progress":2}})");
    CHECK(text_of(host.receive()) == "done");
  }
  for (const char* token : {"null", "true", "{}", "[]", "1.5"}) {
    const Answer answer = host.ask(
        call("1", "progress", "{}", R"(,"_meta":{"progressToken":)" + std::string(token) + "}"));
    CHECK(text_of(answer) == "done");
  }
  CHECK(host.ask(call("1", "progress"))["result"]["isError"].boolean() == true);
  (void)host.initialize("2024-11-05");
  host.send(call("1", "progress", "{}", R"(,"_meta":{"progressToken":1})"));
  CHECK_FALSE(host.receive()["params"]["message"].present());
}

TEST_CASE("a batch is answered with one array when all its requests have ended") {
  Host host;
  (void)host.initialize("2025-03-26");
  host.send("[" + request("1", "ping") + "," + call("2", "wait") + R"(, {"jsonrpc":"2.0",)" +
            R"("method":"notifications/x"},7,)" + request("3", "initialize") + ",[]," +
            call("4", "echo") + "]");
  host.expect_silence();
  host.bench.open = true;
  host.bench.released.notify_all();
  const Answer answer = host.receive();
  const auto answers = answer.document.root().items();
  REQUIRE(answers.size() == 6);
  CHECK(answers[0]["result"].is_object());
  CHECK(answers[1]["error"]["code"].integer() == -32600);
  CHECK(answers[1]["id"].is_null());
  CHECK(answers[2]["error"]["code"].integer() == -32600);
  CHECK(answers[2]["id"].integer() == 3);
  CHECK(answers[3]["error"]["code"].integer() == -32600);
  CHECK(answers[5]["id"].integer() == 2);
}

TEST_CASE("batches: notifications only, empty, too large, and in other revisions") {
  Host host;
  (void)host.initialize("2025-03-26");
  CHECK(host.ask("[]").code() == -32600);
  host.send(
      R"([{"jsonrpc":"2.0","method":"notifications/x"},{"jsonrpc":"2.0","id":1,"result":1}])");
  host.expect_silence();
  std::string huge = "[1";
  for (int i = 0; i < 100000; ++i) huge += ",1";
  CHECK(host.ask(huge + "]").code() == -32600);
  host.send("[" + call("1", "wait") + "," + request("2", "ping") + "]");
  host.send(cancelled("1"));
  const Answer rest = host.receive();
  REQUIRE(rest.document.root().items().size() == 1);
  CHECK(rest.document.root().items()[0]["id"].integer() == 2);
  for (const char* version : {"2024-11-05", "2025-06-18", "2025-11-25"}) {
    (void)host.initialize(version);
    CHECK(host.ask("[" + request("1", "ping") + "]").code() == -32600);
  }
}

}  // namespace molecule::mcp::test

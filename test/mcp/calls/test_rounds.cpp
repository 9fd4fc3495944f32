#include <doctest/doctest.h>

#include <string>

#include "mcp/host.hpp"
#include "mcp/lines.hpp"
#include "mcp/offers.hpp"

namespace molecule::mcp::test {

namespace {

constexpr const char* can_ask = R"({"elicitation":{}})";
const std::string answers = R"("inputResponses":{"who":{"action":"accept"},"more":{}})";

std::string call_of(std::string_view tool, std::string_view more = "") {
  return stateless(
      "1", "tools/call",
      R"("name":")" + std::string(tool) + "\"" + (more.empty() ? "" : ",") + std::string(more), "",
      can_ask);
}

std::string with_state(std::string_view token) {
  return answers + R"(,"requestState":")" + std::string(token) + "\"";
}

/// Initializes with a host that declares `capabilities`.
void begin(Host& host, std::string_view capabilities) {
  (void)host.ask(request(
      "0", "initialize",
      R"({"protocolVersion":"2025-11-25","capabilities":)" + std::string(capabilities) + "}"));
  host.send(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
}

std::string reply(const Answer& question, std::string_view body) {
  return R"({"jsonrpc":"2.0","id":)" + question["id"].dump() + "," + std::string(body) + "}";
}

}  // namespace

TEST_CASE("stateless revision: input is requested by having the request repeated") {
  Host host(make_offers());
  const Answer first = host.ask(call_of("ask"));
  CHECK(first["result"]["resultType"].string_or({}) == "input_required");
  CHECK(first["result"]["inputRequests"].dump() ==
        R"({"who":{"method":"elicitation/create",)"
        R"("params":{"message":"Who?","requestedSchema":{}}}})");
  CHECK(first["result"]["_meta"].is_object());
  const std::string token(first["result"]["requestState"].string_or({}));
  CHECK(token.find("asked") == std::string::npos);
  // The repeated request may itself be retried.
  for (int i = 0; i < 2; ++i) {
    const Answer second = host.ask(call_of("ask", with_state(token)));
    CHECK(second["result"]["resultType"].string_or({}) == "complete");
    CHECK(text_of(second) == R"(asked {"action":"accept"})");
  }
  const Answer prompt = host.ask(stateless("1", "prompts/get", R"("name":"asking")", "", can_ask));
  CHECK(prompt["result"]["resultType"].string_or({}) == "input_required");
}

TEST_CASE("a request state that was altered or belongs to another call is rejected") {
  Host host(make_offers());
  const Answer first = host.ask(call_of("ask"));
  const std::string token(first["result"]["requestState"].string_or({}));
  CHECK(host.ask(call_of("ask", with_state(token + "x"))).code() == -32602);
  CHECK(host.ask(call_of("ask", with_state(""))).code() == -32602);
  CHECK(host.ask(call_of("ask_too", with_state(token))).code() == -32602);
  CHECK(host.ask(call_of("ask", R"("requestState":7)")).code() == -32602);
  for (const char* wrong : {"null", "7", "[]", R"({"who":7})"}) {
    CHECK(host.ask(call_of("ask", R"("inputResponses":)" + std::string(wrong))).code() == -32602);
  }
  // An input request without an answer is made again.
  CHECK(host.ask(call_of("ask", R"("inputResponses":{"other":{}})"))["result"]["inputRequests"]
            .present());
}

TEST_CASE("a host is not asked for input that it did not declare support for") {
  Host host(make_offers());
  const Answer refused = host.ask(stateless("1", "tools/call", R"("name":"ask")"));
  CHECK(refused.code() == -32021);
  CHECK(refused["error"]["data"].dump() == R"({"requiredCapabilities":{"elicitation":{}}})");
  begin(host, "{}");
  CHECK(host.ask(call("1", "ask")).code() == -32021);
  // Capabilities declared in `initialize` do not apply to stateless requests.
  begin(host, can_ask);
  CHECK(host.ask(stateless("1", "tools/call", R"("name":"ask")")).code() == -32021);
}

TEST_CASE("negotiated revisions: input is requested by requests to the host") {
  Host host(make_offers());
  begin(host, can_ask);
  const Answer question = host.ask(call("1", "ask"));
  CHECK(question["method"].string_or({}) == "elicitation/create");
  CHECK(question["params"]["message"].string_or({}) == "Who?");
  host.expect_silence();
  CHECK(text_of(host.ask(reply(question, R"("result":{"action":"accept"})"))) ==
        R"(asked {"action":"accept"})");
  // A second answer is ignored.
  host.send(reply(question, R"("result":{"action":"accept"})"));
  host.expect_silence();
}

TEST_CASE("an error from the host ends the call") {
  Host host(make_offers());
  begin(host, can_ask);
  const Answer question = host.ask(call("1", "ask"));
  const Answer end = host.ask(reply(question, R"("error":{"code":-1,"message":"no user"})"));
  CHECK(end.code() == -32603);
  CHECK(end["error"]["message"].string_or({}) == "The host refused `elicitation/create`: no user");
  const Answer again = host.ask(call("1", "ask"));
  CHECK(host.ask(reply(again, R"("result":7)")).code() == -32603);
}

TEST_CASE("cancelling a call withdraws its request to the host") {
  Host host(make_offers());
  begin(host, can_ask);
  const Answer question = host.ask(call("1", "ask"));
  const Answer taken_back = host.ask(cancelled("1"));
  CHECK(taken_back["method"].string_or({}) == "notifications/cancelled");
  CHECK(taken_back["params"]["requestId"].dump() == question["id"].dump());
  host.send(reply(question, R"("result":{})"));
  host.expect_silence();
  (void)host.ask(call("2", "ask"));
  host.close_input();
  CHECK(host.wait_end() == SessionEnd::end_of_input);
}

}  // namespace molecule::mcp::test

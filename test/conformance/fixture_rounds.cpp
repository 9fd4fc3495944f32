#include <utility>

#include "fixture.hpp"

namespace molecule::conformance {

namespace {

using mcp::Call;
using mcp::InputNeeded;
using mcp::ToolResult;

constexpr std::string_view name_property = R"({"name":{"type":"string"}})";
constexpr std::string_view ok_property = R"({"ok":{"type":"boolean"}})";

awaitable<ToolResult> greet(Call& call) {
  const auto name = call.input("user_name")["content"]["name"].string();
  ToolResult result;
  if (name) {
    result.text = "Hello, " + std::string(*name) + "!";
  } else {
    result.input.emplace();
    result.input->requests.push_back(
        elicit("user_name", "What is your name?", name_property, {"name"}));
  }
  co_return result;
}

awaitable<ToolResult> confirm(Call& call) {
  ToolResult result;
  if (call.input("confirm").present() && call.state() == "confirming") {
    result.text = "state-ok";
  } else {
    result.input =
        InputNeeded{.requests = {elicit("confirm", "Please confirm", ok_property, {"ok"})},
                    .state = "confirming"};
  }
  co_return result;
}

awaitable<ToolResult> several(Call& call) {
  ToolResult result;
  if (call.input("user_name").present() && call.input("greeting").present() &&
      call.input("client_roots").present()) {
    result.text = "All of it is there.";
  } else {
    result.input.emplace();
    result.input->state = "several";
    auto& requests = result.input->requests;
    requests.push_back(elicit("user_name", "What is your name?", name_property, {"name"}));
    requests.push_back(sample("greeting", "Generate a greeting"));
    requests.push_back(ask_roots("client_roots"));
  }
  co_return result;
}

awaitable<ToolResult> rounds(Call& call) {
  const auto name = call.input("step1")["content"]["name"].string();
  const auto color = call.input("step2")["content"]["color"].string();
  ToolResult result;
  if (color && !call.state().empty()) {
    result.text = std::string(call.state()) + " likes " + std::string(*color);
    co_return result;
  }
  result.input.emplace();
  if (name) {
    result.input->state = *name;
    result.input->requests.push_back(elicit("step2", "Step 2: What is your favorite color?",
                                            R"({"color":{"type":"string"}})", {"color"}));
  } else {
    result.input->state = "step 1";
    result.input->requests.push_back(
        elicit("step1", "Step 1: What is your name?", name_property, {"name"}));
  }
  co_return result;
}

/// Asks only for what the host can answer.
awaitable<ToolResult> capabilities(Call& call) {
  ToolResult result;
  const bool answered = call.input("ask").present() || call.input("sample").present();
  if (answered || !(call.host_can("elicitation") || call.host_can("sampling"))) {
    result.text = "Nothing more to ask.";
    co_return result;
  }
  result.input.emplace();
  auto& requests = result.input->requests;
  if (call.host_can("elicitation")) {
    requests.push_back(elicit("ask", "Please confirm", ok_property, {"ok"}));
  }
  if (call.host_can("sampling")) requests.push_back(sample("sample", "Say something."));
  co_return result;
}

}  // namespace

void add_round_tools(mcp::ServerInfo& server) {
  auto& tools = server.tools;
  tools.push_back(make_tool("test_input_required_result_elicitation", "Asks for a name.", greet));
  tools.push_back(make_tool("test_input_required_result_request_state", "Keeps a state.", confirm));
  tools.push_back(
      make_tool("test_input_required_result_tampered_state", "Keeps a state.", confirm));
  tools.push_back(
      make_tool("test_input_required_result_multiple_inputs", "Asks for several things.", several));
  tools.push_back(make_tool("test_input_required_result_multi_round", "Asks twice.", rounds));
  tools.push_back(make_tool("test_input_required_result_capabilities",
                            "Asks what the host can answer.", capabilities));
}

}  // namespace molecule::conformance

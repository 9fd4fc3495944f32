#include <utility>

#include "fixture.hpp"

namespace molecule::conformance {

namespace {

using mcp::Call;
using mcp::InputNeeded;
using mcp::InputRequest;
using mcp::ToolResult;

/// A request to the host, and the text in front of what it answered.
struct Question {
  InputRequest request;
  std::string prefix;
};

awaitable<ToolResult> ask(Call& call, Question question) {
  const json::Value answer = call.input(question.request.key);
  ToolResult result;
  if (!answer.present()) {
    result.input.emplace();
    result.input->requests.push_back(std::move(question.request));
    co_return result;
  }
  result.text = question.prefix + answer.dump();
  co_return result;
}

awaitable<ToolResult> sampling(Call& call) {
  const std::string prompt(call.arguments()["prompt"].string_or("Say something."));
  const json::Value answer = call.input("sample");
  ToolResult result;
  if (!answer.present()) {
    result.input.emplace();
    result.input->requests.push_back(sample("sample", prompt));
    co_return result;
  }
  result.text = "LLM response: ";
  result.text += answer["content"]["text"].string_or("");
  co_return result;
}

awaitable<ToolResult> elicitation(Call& call) {
  const std::string message(call.arguments()["message"].string_or("Who are you?"));
  static constexpr std::string_view properties =
      R"({"username":{"type":"string","description":"User's response"},)"
      R"("email":{"type":"string","description":"User's email address"}})";
  Question question{.request = elicit("user", message, properties, {"username", "email"}),
                    .prefix = "User response: "};
  return ask(call, std::move(question));
}

constexpr std::string_view defaults = R"({
  "name": {"type": "string", "default": "John Doe"},
  "age": {"type": "integer", "default": 30},
  "score": {"type": "number", "default": 95.5},
  "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
  "verified": {"type": "boolean", "default": true}})";

constexpr std::string_view enums = R"({
  "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
  "titledSingle": {"type": "string", "oneOf": [{"const": "value1", "title": "First Option"},
    {"const": "value2", "title": "Second Option"}, {"const": "value3", "title": "Third Option"}]},
  "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"],
    "enumNames": ["Option One", "Option Two", "Option Three"]},
  "untitledMulti": {"type": "array", "items": {"type": "string",
    "enum": ["option1", "option2", "option3"]}},
  "titledMulti": {"type": "array", "items": {"anyOf": [{"const": "value1",
    "title": "First Choice"}, {"const": "value2", "title": "Second Choice"},
    {"const": "value3", "title": "Third Choice"}]}}})";

void add(mcp::ServerInfo& server, std::string name, std::string description, Question question) {
  server.tools.push_back(
      make_tool(std::move(name), std::move(description),
                [question = std::move(question)](Call& call) { return ask(call, question); }));
}

}  // namespace

void add_asking_tools(mcp::ServerInfo& server) {
  server.tools.push_back(make_tool("test_sampling", "Has the host's model say something.", sampling,
                                   R"({"type":"object","properties":{"prompt":{"type":"string"}},)"
                                   R"("required":["prompt"]})"));
  server.tools.push_back(make_tool("test_elicitation", "Asks the user.", elicitation,
                                   R"({"type":"object","properties":{"message":)"
                                   R"({"type":"string"}},"required":["message"]})"));
  add(server, "test_elicitation_sep1034_defaults", "Asks with defaults.",
      {.request = elicit("all", "Check these", defaults, {}), .prefix = "Elicitation completed: "});
  add(server, "test_elicitation_sep1330_enums", "Asks for choices.",
      {.request = elicit("all", "Choose", enums, {}), .prefix = "Elicitation completed: "});
  add(server, "test_missing_capability", "Needs the host's model.",
      {.request = sample("sample", "Hello"), .prefix = "Sampled: "});
  add(server, "test_streaming_elicitation", "Asks the user in a stream.",
      {.request = elicit("ok", "Go on?", R"({"ok":{"type":"boolean"}})", {"ok"}),
       .prefix = "Answered: "});
  add(server, "test_input_required_result_sampling", "Asks the host's model.",
      {.request = sample("capital_question", "What is the capital of France?"),
       .prefix = "Sampled: "});
  add(server, "test_input_required_result_list_roots", "Asks for the roots.",
      {.request = ask_roots("client_roots"), .prefix = "Roots: "});
}

}  // namespace molecule::conformance

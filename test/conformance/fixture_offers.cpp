#include <utility>

#include "fixture.hpp"
#include "molecule/base/json_writer.hpp"

namespace molecule::conformance {

namespace {

using mcp::Call;
using mcp::PromptMessage;
using mcp::PromptResult;
using mcp::ReadResult;
using mcp::Role;
using mcp::TextContent;

awaitable<ReadResult> give(mcp::ResourceContents contents) {
  ReadResult result;
  result.contents.push_back(std::move(contents));
  co_return result;
}

mcp::Resource make_resource(std::string uri, std::string name, mcp::ResourceContents contents) {
  mcp::Resource resource;
  resource.uri = std::move(uri);
  resource.name = std::move(name);
  resource.description = "A resource of the conformance suite.";
  resource.mime_type = contents.mime_type;
  resource.read = [contents = std::move(contents)](Call&) { return give(contents); };
  return resource;
}

awaitable<ReadResult> template_data(Call& call) {
  const std::string id(call.arguments()["id"].string_or(""));
  json::Writer writer;
  {
    auto data = writer.object();
    data.field("id", id);
    data.field("templateTest", true);
    data.field("data", "Data for ID: " + id);
  }
  mcp::ResourceContents contents{.mime_type = "application/json", .data = std::move(writer).take()};
  return give(std::move(contents));
}

awaitable<mcp::Completion> complete(Call&, std::string value) {
  mcp::Completion result;
  for (const char* word : {"paris", "park", "party"}) {
    if (std::string_view(word).starts_with(value)) result.values.emplace_back(word);
  }
  co_return result;
}

PromptMessage text_of_user(std::string text) {
  return {.role = Role::user, .content = TextContent{.text = std::move(text)}};
}

awaitable<PromptResult> simple_prompt() {
  PromptResult result;
  result.messages.push_back(text_of_user("This is a simple prompt for testing."));
  co_return result;
}

awaitable<PromptResult> prompt_with_arguments(Call& call) {
  const json::Value arguments = call.arguments();
  std::string text = "Prompt with arguments: arg1='";
  text += arguments["arg1"].string_or("");
  text += "', arg2='";
  text += arguments["arg2"].string_or("");
  PromptResult result;
  result.messages.push_back(text_of_user(text + "'"));
  co_return result;
}

awaitable<PromptResult> prompt_with_resource(Call& call) {
  mcp::EmbeddedResource embedded;
  embedded.resource.uri = call.arguments()["resourceUri"].string_or("");
  embedded.resource.mime_type = "text/plain";
  embedded.resource.data = "Embedded resource content for testing.";
  PromptResult result;
  result.messages.push_back({.role = Role::user, .content = std::move(embedded)});
  result.messages.push_back(text_of_user("Please process the embedded resource above."));
  co_return result;
}

awaitable<PromptResult> prompt_with_image() {
  mcp::ImageContent image{.data = png(), .mime_type = "image/png"};
  PromptResult result;
  result.messages.push_back({.role = Role::user, .content = std::move(image)});
  result.messages.push_back(text_of_user("Please analyze the image above."));
  co_return result;
}

awaitable<PromptResult> asking_prompt(Call& call) {
  const auto context = call.input("user_context")["content"]["context"].string();
  PromptResult result;
  if (context) {
    result.messages.push_back(text_of_user("Use this context: " + std::string(*context)));
  } else {
    result.input.emplace();
    result.input->requests.push_back(elicit("user_context", "What context should the prompt use?",
                                            R"({"context":{"type":"string"}})", {"context"}));
  }
  co_return result;
}

mcp::PromptArgument required(std::string name, mcp::Completer completer = {}) {
  mcp::PromptArgument argument;
  argument.name = std::move(name);
  argument.description = "An argument of the conformance suite.";
  argument.required = true;
  argument.complete = std::move(completer);
  return argument;
}

mcp::Prompt make_prompt(std::string name, std::function<awaitable<PromptResult>(Call&)> get,
                        std::vector<mcp::PromptArgument> arguments = {}) {
  mcp::Prompt prompt;
  prompt.name = std::move(name);
  prompt.description = "A prompt of the conformance suite.";
  prompt.arguments = std::move(arguments);
  prompt.get = std::move(get);
  return prompt;
}

}  // namespace

void add_resources(mcp::ServerInfo& server) {
  server.resource_updates = true;
  server.resources.push_back(make_resource(
      "test://static-text", "Text",
      {.mime_type = "text/plain", .data = "This is the content of the static text resource."}));
  server.resources.push_back(make_resource(
      "test://static-binary", "Binary", {.mime_type = "image/png", .data = png(), .binary = true}));
  server.resources.push_back(make_resource("test://watched-resource", "Watched",
                                           {.mime_type = "text/plain", .data = "Unchanged."}));
  mcp::ResourceTemplate family;
  family.uri = "test://template/{id}/data";
  family.name = "Data by id";
  family.description = "A resource template of the conformance suite.";
  family.mime_type = "application/json";
  family.read = template_data;
  family.completers.emplace("id", complete);
  server.resource_templates.push_back(std::move(family));
}

void add_prompts(mcp::ServerInfo& server) {
  server.prompts.push_back(
      make_prompt("test_simple_prompt", [](Call&) { return simple_prompt(); }));
  server.prompts.push_back(make_prompt("test_prompt_with_arguments", prompt_with_arguments,
                                       {required("arg1", complete), required("arg2", complete)}));
  server.prompts.push_back(make_prompt("test_prompt_with_embedded_resource", prompt_with_resource,
                                       {required("resourceUri")}));
  server.prompts.push_back(
      make_prompt("test_prompt_with_image", [](Call&) { return prompt_with_image(); }));
  server.prompts.push_back(make_prompt("test_input_required_result_prompt", asking_prompt));
}

}  // namespace molecule::conformance

#include "mcp/offers.hpp"

#include <string>
#include <utility>

namespace molecule::mcp::test {

namespace {

InputNeeded question() {
  InputNeeded needed;
  needed.requests.push_back({.key = "who",
                             .method = "elicitation/create",
                             .params = R"({"message":"Who?","requestedSchema":{}})"});
  needed.state = "asked";
  return needed;
}

awaitable<ToolResult> ask(Call& call) {
  ToolResult result;
  const json::Value answer = call.input("who");
  if (answer.present()) {
    result.text = std::string(call.state()) + " " + answer.dump();
  } else {
    result.input = question();
  }
  co_return result;
}

awaitable<ToolResult> media() {
  ToolResult result;
  result.content.emplace_back(ImageContent{.data = "a", .mime_type = "image/png"});
  result.content.emplace_back(AudioContent{.data = "ab", .mime_type = "audio/wav"});
  result.content.emplace_back(
      EmbeddedResource{.resource = {.uri = "test://e", .data = "abc", .binary = true}});
  result.content.emplace_back(ResourceLink{.uri = "test://l", .name = "link"});
  co_return result;
}

awaitable<ToolResult> data() {
  ToolResult result{.structured = "{ \"n\": 1 }"};
  co_return result;
}

awaitable<ToolResult> log(Call& call) {
  call.log(LogLevel::debug, "test", "small");
  call.log(LogLevel::error, "test", "big");
  ToolResult result{.text = "logged"};
  co_return result;
}

awaitable<ReadResult> read(Call& call) {
  const std::string id(call.arguments()["id"].string_or("a"));
  ReadResult result;
  if (id != "404") result.contents.push_back({.mime_type = "text/plain", .data = id});
  co_return result;
}

awaitable<PromptResult> greet(Call& call) {
  TextContent text{.text = std::string(call.arguments()["name"].string_or(""))};
  PromptResult result{.description = "A greeting"};
  result.messages.push_back({.role = Role::assistant, .content = std::move(text)});
  co_return result;
}

awaitable<PromptResult> asking(Call& call) {
  PromptResult result;
  if (!call.input("who").present()) result.input = question();
  co_return result;
}

awaitable<Completion> complete(Call& call, std::string value) {
  Completion result;
  for (int i = 0; i < 150; ++i) result.values.push_back(value + std::to_string(i));
  if (call.arguments()["few"].present()) result.values.resize(1);
  co_return result;
}

void add_tool(ServerInfo& server, std::string name,
              std::function<awaitable<ToolResult>(Call&)> handler) {
  Tool tool;
  tool.name = std::move(name);
  tool.input_schema = R"({"type":"object"})";
  tool.handler = std::move(handler);
  server.tools.push_back(std::move(tool));
}

}  // namespace

ServerInfo make_offers() {
  ServerInfo server;
  server.name = "offers";
  server.version = "1";
  server.logging = true;
  server.resource_updates = true;
  for (int i = 0; i < 5; ++i) {
    add_tool(server, "tool" + std::to_string(i), [](Call&) { return data(); });
  }
  add_tool(server, "media", [](Call&) { return media(); });
  add_tool(server, "data", [](Call&) { return data(); });
  add_tool(server, "log", log);
  add_tool(server, "ask", ask);
  add_tool(server, "ask_too", ask);
  Resource resource;
  resource.uri = "test://a";
  resource.name = "a";
  resource.title = "A title";
  resource.cache = {.ttl_ms = 7, .is_public = true};
  resource.read = read;
  server.resources.push_back(std::move(resource));
  ResourceTemplate family;
  family.uri = "test://item/{id}";
  family.name = "item";
  family.read = read;
  family.completers.emplace("id", complete);
  server.resource_templates.push_back(std::move(family));
  Prompt prompt;
  prompt.name = "greet";
  prompt.get = greet;
  PromptArgument name;
  name.name = "name";
  name.required = true;
  name.complete = complete;
  prompt.arguments.push_back(std::move(name));
  server.prompts.push_back(std::move(prompt));
  Prompt other;
  other.name = "asking";
  other.get = asking;
  server.prompts.push_back(std::move(other));
  return server;
}

}  // namespace molecule::mcp::test

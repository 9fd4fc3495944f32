#include "fuzz/targets/server.hpp"

#include <stdexcept>

#include "base/async/event.hpp"
#include "molecule/mcp/arguments.hpp"

namespace molecule::fuzz {

namespace {

awaitable<mcp::ToolResult> echo(mcp::Call& call) {
  mcp::ToolResult result{.text = call.arguments().dump()};
  co_return result;
}

awaitable<mcp::ToolResult> wait(Clock& clock) {
  Event never(clock);
  co_await never.wait();
  mcp::ToolResult result{.text = "never"};
  co_return result;
}

awaitable<mcp::ToolResult> progress(mcp::Call& call) {
  call.progress(1, 3, "first \n line");
  call.progress(2, std::nullopt, "");
  mcp::ToolResult result{.text = "done", .is_error = true};
  co_return result;
}

awaitable<mcp::ToolResult> read(mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  std::string text = arguments.text("text") + arguments.string_or("more", "");
  const auto number = arguments.integer("number", 1, 0, 9);
  for (const std::string& item : arguments.strings("list")) text += item;
  if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
  mcp::ToolResult result{.text = text + std::to_string(number)};
  co_return result;
}

awaitable<mcp::ToolResult> structured() {
  mcp::ToolResult result{.text = "{ \"n\":\n1 }"};
  co_return result;
}

awaitable<mcp::ToolResult> ask(mcp::Call& call) {
  const json::Value answer = call.input("who");
  mcp::ToolResult result{.text = std::string(call.state()) + answer["content"].dump()};
  if (answer.present()) co_return result;
  result.input = mcp::InputNeeded{
      .requests = {{.key = "who",
                    .method = "elicitation/create",
                    .params = R"({"message":"Who?","requestedSchema":{"type":"object",)"
                              R"("properties":{"name":{"type":"string"}}}})"}},
      .state = "asked "};
  co_return result;
}

awaitable<mcp::ToolResult> blocks(mcp::Call& call) {
  call.log(mcp::LogLevel::info, "fuzzed", "some blocks");
  mcp::ToolResult result;
  result.content.push_back(mcp::TextContent{.text = "text"});
  result.content.push_back(mcp::ImageContent{.data = "\x89PNG", .mime_type = "image/png"});
  result.content.push_back(mcp::AudioContent{.data = "RIFF", .mime_type = "audio/wav"});
  mcp::ResourceContents contents{.uri = "test://one", .data = "one"};
  result.content.push_back(mcp::EmbeddedResource{.resource = contents});
  result.content.push_back(mcp::ResourceLink{.uri = "test://one", .name = "one"});
  co_return result;
}

awaitable<mcp::ReadResult> read_resource(mcp::Call& call) {
  mcp::ResourceContents contents{.data = call.arguments().dump(), .binary = true};
  mcp::ReadResult result;
  if (call.arguments()["id"].string_or("there") != "none") result.contents.push_back(contents);
  co_return result;
}

awaitable<mcp::Completion> complete(std::string typed) {
  mcp::Completion completion{.values = {typed, typed + "s"}, .total = 2};
  co_return completion;
}

awaitable<mcp::PromptResult> get_prompt(mcp::Call& call) {
  const mcp::TextContent text{.text = call.arguments().dump()};
  mcp::PromptResult result;
  result.messages.push_back({.role = mcp::Role::user, .content = text});
  co_return result;
}

awaitable<mcp::ToolResult> fail() {
  throw std::runtime_error("on purpose");
  co_return mcp::ToolResult();
}

template <class Handler>
mcp::Tool tool(std::string name, Handler handler) {
  mcp::Tool result;
  result.name = std::move(name);
  result.title = "A title";
  result.description = "A description";
  result.input_schema = R"({"type":"object"})";
  result.handler = std::move(handler);
  return result;
}

void add_resources(mcp::ServerInfo& server) {
  const auto completer = [](mcp::Call&, std::string typed) { return complete(std::move(typed)); };
  for (const char* const uri : {"test://one", "test://two"}) {
    server.resources.push_back({.uri = uri, .name = uri, .read = read_resource});
  }
  server.resource_templates.push_back({.uri = "test://{id}/part/{part}",
                                       .name = "parts",
                                       .read = read_resource,
                                       .completers = {{"id", completer}}});
  server.resource_updates = true;
  server.prompts.push_back(
      {.name = "greet",
       .arguments = {{.name = "whom", .required = true, .complete = completer}},
       .get = get_prompt});
}

}  // namespace

mcp::ServerInfo make_server(Clock& clock) {
  mcp::ServerInfo server;
  server.name = "fuzzed";
  server.version = "1";
  server.instructions = "Be brief.";
  server.tools.push_back(tool("echo", [](mcp::Call& call) { return echo(call); }));
  server.tools.push_back(tool("wait", [&clock](mcp::Call&) { return wait(clock); }));
  server.tools.push_back(tool("progress", [](mcp::Call& call) { return progress(call); }));
  server.tools.push_back(tool("read", [](mcp::Call& call) { return read(call); }));
  server.tools.push_back(tool("structured", [](mcp::Call&) { return structured(); }));
  server.tools.push_back(tool("ask", [](mcp::Call& call) { return ask(call); }));
  server.tools.push_back(tool("blocks", [](mcp::Call& call) { return blocks(call); }));
  server.tools.push_back(tool("fail", [](mcp::Call&) { return fail(); }));
  server.tools[0].annotations.read_only = true;
  server.tools[4].output_schema = R"({"type":"object"})";
  server.experimental = R"({"claude/channel":{}})";
  server.logging = true;
  server.initialize_hosts = {"claude-code"};
  add_resources(server);
  return server;
}

}  // namespace molecule::fuzz

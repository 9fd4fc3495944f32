#include "server.hpp"

#include <stdexcept>

#include "molecule/base/event.hpp"
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
  server.tools.push_back(tool("fail", [](mcp::Call&) { return fail(); }));
  server.tools[0].annotations.read_only = true;
  server.tools[4].output_schema = R"({"type":"object"})";
  server.experimental = R"({"claude/channel":{}})";
  return server;
}

}  // namespace molecule::fuzz

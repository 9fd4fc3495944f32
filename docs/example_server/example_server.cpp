// An MCP server on stdin and stdout with one tool, on the installed protocol library:
//
//     clang++-19 -std=c++20 example_server.cpp $(pkg-config --cflags --libs molecule-mcp)
//
// With Meson: `dependency('molecule-mcp')`, as in meson.build beside this file.

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include "base/async/asio.hpp"
#include "base/async/clock.hpp"
#include "molecule/mcp/arguments.hpp"
#include "molecule/mcp/session.hpp"
#include "molecule/mcp/stdio.hpp"

namespace {

using namespace molecule;

/// Runs as a task of its own: it may wait for timers and sockets while other calls go on.
awaitable<mcp::ToolResult> repeat(Clock& clock, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const std::string text = arguments.text("text");
  const auto times = arguments.integer("times", 2, 1, 10);
  if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
  std::string repeated;
  for (int i = 1; i <= times; ++i) {
    repeated += text;
    call.progress(i, static_cast<double>(times), "repeating");
    co_await sleep_for(clock, std::chrono::milliseconds(10));
  }
  mcp::ToolResult result;
  result.text = std::move(repeated);
  co_return result;
}

mcp::ServerInfo describe(Clock& clock) {
  mcp::Tool tool;
  tool.name = "repeat";
  tool.description = "Gives a text back, several times.";
  tool.input_schema = R"({"type":"object","required":["text"],"properties":{
    "text":{"type":"string"},"times":{"type":"integer","minimum":1,"maximum":10}}})";
  tool.annotations.read_only = true;
  tool.handler = [&clock](mcp::Call& call) { return repeat(clock, call); };
  mcp::ServerInfo info;
  info.name = "example";
  info.version = "1.0";
  info.tools.push_back(std::move(tool));
  return info;
}

}  // namespace

int main() {
  mcp::Stdio stdio;  // from here on, only the session writes to stdout
  asio::io_context loop;
  SystemClock clock;
  mcp::Session session(loop.get_executor(), clock, describe(clock), stdio.input(), stdio.output());
  std::exception_ptr failure;
  asio::co_spawn(loop, session.run(),
                 [&](std::exception_ptr error, mcp::SessionEnd) { failure = error; });
  loop.run();  // until the host closes stdin
  if (failure) std::fputs("the session failed\n", stderr);
  return failure ? 1 : 0;
}

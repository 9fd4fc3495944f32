#include "fixture.hpp"

#include <asio/io_context.hpp>

#include <exception>

#include "molecule/base/json_writer.hpp"
#include "molecule/base/log.hpp"
#include "molecule/base/tasks.hpp"
#include "molecule/mcp/stdio.hpp"

namespace molecule::conformance {

mcp::Tool make_tool(std::string name, std::string description, ToolHandler handler,
                    std::string input_schema) {
  mcp::Tool tool;
  tool.name = std::move(name);
  tool.description = std::move(description);
  tool.input_schema = std::move(input_schema);
  tool.handler = std::move(handler);
  return tool;
}

mcp::InputRequest elicit(std::string key, std::string_view message, std::string_view properties,
                         const std::vector<std::string>& required) {
  json::Writer writer;
  {
    auto params = writer.object();
    params.field("message", message);
    auto schema = params.object("requestedSchema");
    schema.field("type", "object");
    schema.raw("properties", properties);
    auto names = schema.array("required");
    for (const std::string& name : required) names.value(name);
  }
  return {
      .key = std::move(key), .method = "elicitation/create", .params = std::move(writer).take()};
}

mcp::InputRequest sample(std::string key, std::string_view text) {
  json::Writer writer;
  {
    auto params = writer.object();
    {
      auto messages = params.array("messages");
      auto message = messages.object();
      message.field("role", "user");
      auto content = message.object("content");
      content.field("type", "text");
      content.field("text", text);
    }
    params.field("maxTokens", 100);
  }
  return {.key = std::move(key),
          .method = "sampling/createMessage",
          .params = std::move(writer).take()};
}

mcp::InputRequest ask_roots(std::string key) {
  return {.key = std::move(key), .method = "roots/list"};
}

namespace {

awaitable<void> serve(mcp::Session& session) {
  [[maybe_unused]] const mcp::SessionEnd end = co_await session.run();
}

int run() {
  const mcp::Stdio stdio;
  asio::io_context loop(1);
  SystemClock clock;
  int exit_code = 0;
  TaskGroup tasks(loop.get_executor(), clock, [&exit_code](std::string_view task, auto) {
    log::error("{} failed", task);
    exit_code = 1;
  });
  mcp::ServerInfo server;
  server.name = "conformance-fixture";
  server.title = "Conformance fixture";
  server.version = MOLECULE_VERSION;
  server.logging = true;
  add_content_tools(server, clock);
  add_asking_tools(server);
  add_round_tools(server);
  add_resources(server);
  add_prompts(server);
  mcp::Session session(loop.get_executor(), clock, std::move(server), stdio.input(),
                       stdio.output());
  tasks.spawn("session", serve(session));
  loop.run();
  return exit_code;
}

}  // namespace

}  // namespace molecule::conformance

int main() {
  try {
    return molecule::conformance::run();
  } catch (const std::exception& error) {
    molecule::log::error("{}", error.what());
    return 1;
  }
}

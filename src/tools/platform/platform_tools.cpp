#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "molecule/mcp/arguments.hpp"
#include "tools/errors.hpp"
#include "tools/peers/choose.hpp"
#include "tools/tool_registry.hpp"

namespace molecule::tools {

namespace {

awaitable<mcp::ToolResult> update_agent_card(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const json::Value card = arguments.object("card");
  workspace::Workspace& workspace = choose_workspace(services, arguments);
  if (auto wrong = rejection(services, arguments, workspace)) co_return std::move(*wrong);
  const std::string text = card.dump();
  auto done = co_await workspace.client.update_card(text);
  mcp::ToolResult result;
  if (done) {
    workspace.keep_card(text);
    result.text = R"({"success":true,"status":"updated"})";
  } else {
    result = failure("The agent card was not updated", About::own_workspace, done.error());
  }
  co_return result;
}

awaitable<mcp::ToolResult> broadcast_message(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const std::string message = arguments.text("message");
  workspace::Workspace& workspace = choose_workspace(services, arguments);
  if (auto wrong = rejection(services, arguments, workspace)) co_return std::move(*wrong);
  auto done = co_await workspace.client.broadcast(message);
  mcp::ToolResult result;
  if (!done) {
    result = failure("The message was not broadcast", About::own_workspace, done.error());
  } else if (done->delivered) {
    result.text = fmt::format("Broadcast to {} workspaces.", *done->delivered);
  } else {
    result.text = "Broadcast.";
  }
  co_return result;
}

awaitable<mcp::ToolResult> get_runtime_identity(Services& services, mcp::Call&) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("runtime", "molecule-mcp");
    o.field("version", MOLECULE_VERSION);
    if (!services.problem.empty()) o.field("problem", services.problem);
    auto list = o.array("workspaces");
    for (workspace::Workspace& workspace : services.workspaces) {
      auto one = list.object();
      one.field("workspace_id", workspace.id());
      one.field("platform_url", text::one_line(workspace.config().platform_url));
      one.raw("agent_card", workspace.agent_card());
      one.field("delivery_mode", "poll");
      if (!workspace.in_use()) one.field("disabled", workspace.state().reason);
    }
  }
  mcp::ToolResult result;
  result.text = std::move(writer).take();
  co_return result;
}

}  // namespace

void add_platform_tools(ToolRegistry& tools) {
  tools.add({.name = "update_agent_card",
             .description = "Replace how others see you: {name, description, skills: [{name}]}.",
             .input_schema = R"({"type":"object","properties":{"card":{"type":"object"}},)"
                             R"("required":["card"]})",
             .hints = replaces,
             .choice = source_argument},
            update_agent_card);
  tools.add({.name = "broadcast_message",
             .description = "Write to all peers.",
             .input_schema = R"({"type":"object","properties":{"message":{"type":"string"}},)"
                             R"("required":["message"]})",
             .hints = sends,
             .choice = source_argument},
            broadcast_message);
  tools.add({.name = "get_runtime_identity",
             .description = "This program and its workspaces.",
             .hints = read_only,
             .needs_workspace = false},
            get_runtime_identity);
}

}  // namespace molecule::tools

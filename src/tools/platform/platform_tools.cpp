#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/json/sanitized.hpp"
#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "base/text/time.hpp"
#include "base/uuid.hpp"
#include "molecule/mcp/arguments.hpp"
#include "tools/errors.hpp"
#include "tools/peers/choose.hpp"
#include "tools/tool_registry.hpp"

namespace molecule::tools {

namespace {

/// An RFC 3339 time; anything else is refused before any I/O.
std::string read_time(mcp::Arguments& arguments) {
  const std::string time(text::trim(arguments.string_or("before_ts", "")));
  if (!time.empty() && !parse_rfc3339(time)) {
    arguments.reject("before_ts", "must be an RFC 3339 time, like a message's created_at");
  }
  return time;
}

/// The messages that a peer and this workspace exchanged, oldest first.
std::string rows_text(const platform::ActivityPage& page, std::string_view peer) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("peer_id", peer);
    auto list = o.array("messages");
    for (auto row = page.rows.rbegin(); row != page.rows.rend(); ++row) {
      // Platforms before May 2026 ignore the filter.
      const bool between = text::equal_ignoring_case((*row)["source_id"].string_or(""), peer) ||
                           text::equal_ignoring_case((*row)["target_id"].string_or(""), peer);
      if (between) list.raw(json::dump_sanitized(*row));
    }
  }
  return std::move(writer).take();
}

awaitable<mcp::ToolResult> chat_history(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const std::string peer = text::lower(text::trim(arguments.string_or("peer_id", "")));
  const auto limit = static_cast<int>(arguments.integer("limit", 20, 1, 500));
  const std::string before = read_time(arguments);
  if (!peer.empty() && !is_uuid(peer)) {
    arguments.reject("peer_id", "must be a workspace's UUID, or absent for the user");
  }
  workspace::Workspace& workspace = choose_workspace(services, arguments, peer);
  if (auto wrong = rejection(services, arguments, workspace)) co_return std::move(*wrong);
  mcp::ToolResult result;
  if (peer.empty()) {
    auto history = co_await workspace.client.chat_history(limit, before);
    if (history) {
      result.text = std::move(*history);
    } else {
      result = failure("The chat's history is not known", About::own_workspace, history.error());
    }
    co_return result;
  }
  platform::ActivityQuery query;
  query.type.clear();
  query.peer_id = peer;
  query.limit = limit;
  if (!before.empty()) query.before_ts = before;
  auto page = co_await workspace.client.activity(std::move(query));
  if (page) {
    result.text = rows_text(*page, peer);
  } else {
    result = failure("The chat's history is not known", About::own_workspace, page.error());
  }
  co_return result;
}

awaitable<mcp::ToolResult> update_agent_card(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const json::Value card = call.arguments()["card"];
  if (!card.is_object()) arguments.reject("card", "must be an object");
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
  tools.add(
      {.name = "chat_history",
       .title = "Earlier messages",
       .description = "What you and the user, or you and a peer, wrote before; oldest first.",
       .input_schema =
           R"({"type":"object","properties":{)"
           R"("peer_id":{"type":"string","description":"A peer's id; default: the user."},)"
           R"("limit":{"type":"integer","minimum":1,"maximum":500,"default":20},)"
           R"("before_ts":{"type":"string","description":"Only messages older than this time."}}})",
       .hints = read_only,
       .choice = source_argument},
      chat_history);
  tools.add({.name = "update_agent_card",
             .title = "Describe yourself",
             .description = "Replace the agent card that others see.",
             .input_schema =
                 R"({"type":"object","properties":{"card":{"type":"object",)"
                 R"("description":"name, description, skills: [{name}]."}},"required":["card"]})",
             .hints = replaces,
             .choice = source_argument},
            update_agent_card);
  tools.add({.name = "broadcast_message",
             .title = "Write to all peers",
             .description = "Send a message to every workspace that you can reach.",
             .input_schema = R"({"type":"object","properties":{"message":{"type":"string"}},)"
                             R"("required":["message"]})",
             .hints = sends,
             .choice = source_argument},
            broadcast_message);
  tools.add({.name = "get_runtime_identity",
             .title = "Who am I",
             .description = "This program and the workspaces that it serves.",
             .hints = read_only},
            get_runtime_identity);
}

}  // namespace molecule::tools

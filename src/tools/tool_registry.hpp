#pragma once

#include <memory>
#include <string>
#include <vector>

#include "molecule/mcp/tool.hpp"
#include "tools/tools.hpp"

namespace molecule::tools {

// Each subject gives its tools in the order of molecule-mcp.md 6.
std::vector<mcp::Tool> delegation_tools(Services& services);
std::vector<mcp::Tool> task_status_tools(Services& services);
std::vector<mcp::Tool> peer_tools(Services& services);
std::vector<mcp::Tool> user_message_tools(Services& services);
std::vector<mcp::Tool> inbox_tools(Services& services);
std::vector<mcp::Tool> memory_tools(Services& services);
std::vector<mcp::Tool> reply_tools(Services& services);
std::vector<mcp::Tool> platform_tools(Services& services);

// What `reply` shares with the tools that say to whom.
struct Note {
  std::string text;
  /// Files of this machine.
  std::vector<std::string> paths = {};
};
/// What makes a note the same one again, to derive its messageId from.
std::string content_of(const Note& note);
/// Shows the note in the user's chat; all of its files go with it, or nothing is sent. Whatever is
/// sent with the same `message_id` is the same note.
awaitable<mcp::ToolResult> send_to_user(workspace::Workspace& workspace, Note note,
                                        std::string message_id);
/// Takes the message out of the inbox; false where it was not there. As `when_free`.
awaitable<bool> pop_when_free(Services& services, std::string activity_id);
/// What is sent to a peer. Whatever is sent with the same `message_id` is the same message.
struct Outgoing {
  std::string peer;
  std::string text;
  std::string message_id;
  /// The messageId that it answers; empty: none.
  std::string in_reply_to = {};
};
/// Sends it and waits for the peer's answer; `call` outlives it.
awaitable<platform::Outcome<platform::A2aReply>> send_to_peer(Services& services,
                                                              workspace::Workspace& workspace,
                                                              Outgoing outgoing, mcp::Call& call);

// What a tool gives is also what a resource of the same name holds.
awaitable<mcp::ToolResult> list_peers(Services& services);
/// What the platform gives of one workspace's peers.
awaitable<platform::Outcome<std::vector<platform::Peer>>> peers_of(workspace::Workspace& workspace);
awaitable<mcp::ToolResult> workspace_info(workspace::Workspace& workspace);
/// At most `limit` of these messages, oldest first.
awaitable<mcp::ToolResult> peek(Services& services, std::size_t limit,
                                workspace::Inbox::Which which = workspace::Inbox::Which::waiting);

/// The output schema of an object whose members the platform chooses.
inline constexpr const char* any_object = R"({"type":"object"})";

/// The schema of a tool without arguments.
inline constexpr const char* no_arguments =
    R"({"type":"object","properties":{},"additionalProperties":false})";

}  // namespace molecule::tools

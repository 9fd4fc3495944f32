#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "molecule/mcp/tool.hpp"
#include "platform/client.hpp"
#include "tools/tools.hpp"

namespace molecule::tools {

// The calls that tools share with `reply`, the resources and the prompts.

/// A message to the user.
struct Note {
  std::string text;
  /// Files on this machine.
  std::vector<std::string> paths = {};
};
/// The content that identifies a note: its messageId is derived from it.
std::string content_of(const Note& note);
/// Shows the note in the user's chat, with all of its files or not at all. Two notes with the same
/// `message_id` are the same note.
awaitable<mcp::ToolResult> send_to_user(workspace::Workspace& workspace, Note note,
                                        std::string message_id);

/// A message to a peer. Two with the same `message_id` are the same message.
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

/// Removes the message from the inbox; false if it was not there. Retries like `retry_while_busy`.
awaitable<bool> remove_message(Services& services, std::string activity_id);
/// At most `limit` of these messages, oldest first.
awaitable<mcp::ToolResult> peek(
    Services& services, std::size_t limit,
    workspace::Workspaces::Which which = workspace::Workspaces::Which::waiting);

awaitable<mcp::ToolResult> list_peers(Services& services);
/// The platform's answer about one workspace's peers.
awaitable<platform::Outcome<std::vector<platform::Peer>>> peers_of(workspace::Workspace& workspace);
awaitable<mcp::ToolResult> workspace_info(workspace::Workspace& workspace);

}  // namespace molecule::tools

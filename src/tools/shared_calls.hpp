#pragma once

#include <cstddef>
#include <functional>
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
  /// The messageId that it answers; empty: none.
  std::string in_reply_to = {};
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
  /// How many agents the chain of messages has passed.
  int hops = 0;
};
/// Sends it and waits for the peer's answer; `call` outlives it.
awaitable<platform::Outcome<platform::A2aReply>> send_to_peer(Services& services,
                                                              workspace::Workspace& workspace,
                                                              Outgoing outgoing, mcp::Call& call);

/// Told of each try that failed and is made again.
using Warn = std::function<void(const std::string& text)>;
/// As `send_to_peer`, for no call; with the reports of the activity and of the workload.
awaitable<platform::Outcome<platform::A2aReply>> send_and_report(Services& services,
                                                                 workspace::Workspace& workspace,
                                                                 Outgoing outgoing, Warn warn);
/// The answer that comes to the inbox later will say which task it answers, and is this session's;
/// best effort.
awaitable<void> remember_task(Services& services, workspace::Workspace& workspace,
                              std::string task_id, std::string peer, std::string task);

/// Removes the message from the inbox; false if it was not there. Retries like `retry_while_busy`.
awaitable<bool> remove_message(Services& services, std::string activity_id);
/// How messages are looked at: shown only; given to this session as far as nobody else is to have
/// them; or the same, but without those of others.
enum class Look { only, act, own };
/// At most `limit` messages, oldest first.
awaitable<mcp::ToolResult> peek(Services& services, std::size_t limit, Look look);

awaitable<mcp::ToolResult> list_peers(Services& services);
/// The platform's answer about one workspace's peers.
awaitable<platform::Outcome<std::vector<platform::Peer>>> peers_of(workspace::Workspace& workspace);
awaitable<mcp::ToolResult> workspace_info(workspace::Workspace& workspace);

}  // namespace molecule::tools

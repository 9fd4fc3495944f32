#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace molecule::workspace {

/// A file that came with a message.
struct Attachment {
  /// `file://…` once it is on this machine.
  std::string uri;
  std::string name;
  std::string mime_type;
  std::optional<std::int64_t> size = std::nullopt;
  /// Why the file is not on this machine; empty if it is, or if the reason is unknown.
  std::string status = {};
};

/// One message as agents see it (molecule-mcp.md 5 and 6). An empty text means unknown.
struct Message {
  std::string activity_id;
  std::string text;
  /// Empty for the human.
  std::string peer_id;
  /// `canvas_user`, `peer_agent` or `delegation_result`.
  std::string kind;
  std::string method;
  std::string created_at;
  std::string peer_name;
  std::string peer_role;
  /// Its position among the platform's rows; 0 if the platform does not number them.
  std::int64_t sequence = 0;
  /// An http or https address, as the platform gave it.
  std::string agent_card_url = {};
  /// The sender's own id of the message, which an answer refers to. Not shown to agents.
  std::string message_id = {};
  /// Which task of this workspace it answers, and how that task begins; empty if unknown. A task
  /// that was sent to another workspace is not one that this sender can answer.
  std::string task_id = {};
  std::string task = {};
  /// How many agents the chain of messages has passed that it belongs to; -1: unknown.
  int hops = -1;
  /// Another running session was given it, and that session's agent is to answer it.
  bool with_another_session = false;
  /// Which workspace received it; set only if a process serves several.
  std::string arrival_workspace_id = {};
  /// Stored by `FileStore`, not with the message.
  std::vector<Attachment> attachments = {};
};

}  // namespace molecule::workspace

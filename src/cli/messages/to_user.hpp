#pragma once

#include <string>
#include <vector>

#include "cli/commands/command.hpp"
#include "cli/session/session.hpp"

namespace molecule::cli {

/// A message to the workspace's user. Two with the same id are the same message.
struct UserMessage {
  std::string text;
  /// Files on this machine, as whole paths.
  std::vector<std::string> paths = {};
  std::string message_id;
  /// The id of the message that it answers; empty: none.
  std::string in_reply_to = {};
};

/// Shows it in the user's chat, with all of its files or not at all. The exit code; a failure has
/// been said.
awaitable<int> send_to_user(workspace::Workspace& workspace, UserMessage message);

/// What a command that sends prints: the message's id.
std::string sent_line(const std::string& message_id, bool json);

/// The files of `--file`, as whole paths.
std::vector<std::string> whole_paths(const Arguments& arguments);

}  // namespace molecule::cli

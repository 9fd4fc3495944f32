#pragma once

#include <string>
#include <string_view>

#include "workspace/store/inbox/message.hpp"

namespace molecule::daemon {

/// Of whom a handler is told.
struct Incoming {
  workspace::Message message;
  std::string workspace_id;
  std::string conversation;
  /// The session of the conversation is gone, so the handler does not know what was before.
  bool memory_lost = false;
};

/// The message as one line of JSON, for commands and webhooks.
std::string message_json(const Incoming& incoming);

/// What an agent's CLI reads: a header line of ours, then the message as JSON in which no `@` is
/// left, because some CLIs read the files that a prompt names so (docs/spec/daemon.md 4). Text of
/// others can do nothing in it but be read.
std::string agent_prompt(const Incoming& incoming, bool tools);

}  // namespace molecule::daemon

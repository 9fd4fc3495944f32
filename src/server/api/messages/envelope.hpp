#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

/// An A2A request in the form in which every reader of an inbox sees it.
struct Envelope {
  /// A JSON-RPC request on one line.
  std::string text;
  /// For logs and the reply: empty if `method` is not a string, cut at 200 bytes.
  std::string method;
  /// `params.message.messageId` if it is a string: a repetition carries the same one.
  std::optional<std::string> message_id;
  /// `params.message.metadata.in_reply_to` if it is a string: the message that this one answers.
  std::string in_reply_to = {};
};

/// platform-api.md 3.3: fills in what senders leave out (the JSON-RPC frame, the messageId, parts
/// for an older `content`). Integers keep their value (the baseline rounds large ones); a member
/// that is repeated in the frame, the params or the message counts once, with its first value. A
/// failure is the 400 to send.
/// `context_id` goes into a message that has none, unless it is empty (platform-api.md 10.2).
Result<Envelope, Reply> normalise_envelope(std::string_view body, std::string_view context_id = "");

}  // namespace molecule::server

#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/json/writer.hpp"

namespace molecule::platform {

/// A JSON-RPC request that carries one text message (platform-api.md 3): what a client sends to a
/// peer, and what the platform writes for a broadcast.
struct TextMessage {
  std::string_view id;
  std::string_view method;
  std::string_view message_id;
  std::string_view text;
  /// The messageId that it answers; empty: none.
  std::string_view in_reply_to = {};
  /// How many agents the chain of messages has passed so far; negative: not said.
  int hops = -1;
};

inline std::string to_json(const TextMessage& request) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("jsonrpc", "2.0");
    out.field("id", request.id);
    out.field("method", request.method);
    auto params = out.object("params");
    auto message = params.object("message");
    message.field("role", "user");
    message.field("messageId", request.message_id);
    if (!request.in_reply_to.empty() || request.hops >= 0) {
      auto metadata = message.object("metadata");
      if (!request.in_reply_to.empty()) metadata.field("in_reply_to", request.in_reply_to);
      if (request.hops >= 0) metadata.field("molecule/hops", request.hops);
    }
    auto parts = message.array("parts");
    auto part = parts.object();
    part.field("kind", "text");
    part.field("text", request.text);
  }
  return std::move(writer).take();
}

}  // namespace molecule::platform

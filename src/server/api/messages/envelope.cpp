#include "server/api/messages/envelope.hpp"

#include <set>

#include "base/json/reader.hpp"
#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "server/api/input.hpp"

namespace molecule::server {

namespace {

constexpr std::size_t method_bytes = 200;

Reply refusal(std::string_view error, std::string_view hint) {
  json::Writer writer;
  {
    auto object = writer.object();
    object.field("error", error);
    object.field("hint", hint);
  }
  return json_reply(400, std::move(writer).take());
}

/// Copies the members of `object` whose names are not in `seen` yet, each name once.
void copy_members(json::Object& out, json::Value object, std::set<std::string_view> seen) {
  for (const auto& [name, value] : object.members()) {
    if (seen.insert(name).second) out.raw(name, value.dump());
  }
}

std::optional<Reply> message_refusal(json::Value message) {
  if (message["parts"].present()) return std::nullopt;
  const json::Value content = message["content"];
  if (content.is_string() || content.is_array()) return std::nullopt;
  if (content.present()) {
    return refusal("invalid params.message.content type", "send a text or an array of parts");
  }
  return refusal("params.message must contain either 'parts' (v0.3) or 'content' (v0.2 compat)",
                 "send \"parts\": [{\"kind\": \"text\", \"text\": \"...\"}]");
}

void write_message(json::Object out, json::Value message, std::string_view context_id) {
  const bool has_parts = message["parts"].present();
  copy_members(out, message,
               has_parts ? std::set<std::string_view>{} : std::set<std::string_view>{"content"});
  if (!message["messageId"].present()) out.field("messageId", random_uuid());
  if (!context_id.empty() && !message["contextId"].present()) out.field("contextId", context_id);
  if (has_parts) return;
  const json::Value content = message["content"];
  if (content.is_array()) {
    out.raw("parts", content.dump());
    return;
  }
  auto parts = out.array("parts");
  auto part = parts.object();
  part.field("kind", "text");
  part.field("text", content.string_or(""));
}

void write_params(json::Object& out, json::Value params, std::string_view context_id) {
  const json::Value message = params["message"];
  if (!message.is_object()) {
    out.raw("params", params.dump());
    return;
  }
  auto written = out.object("params");
  copy_members(written, params, {"message"});
  write_message(written.object("message"), message, context_id);
}

std::string write_envelope(json::Value root, std::string_view context_id) {
  json::Writer writer;
  {
    auto out = writer.object();
    if (root["jsonrpc"].present()) {
      copy_members(out, root, {"params"});
      if (root["params"].present()) write_params(out, root["params"], context_id);
    } else {
      out.field("jsonrpc", "2.0");
      out.field("id", random_uuid());
      out.raw("method", root["method"].dump());
      write_params(out, root["params"], context_id);
    }
  }
  return std::move(writer).take();
}

}  // namespace

Result<Envelope, Reply> normalise_envelope(std::string_view body, std::string_view context_id) {
  json::Document document;
  const auto parsed = document.parse(body);
  const bool usable = parsed.ok() && (parsed.value().is_object() || parsed.value().is_null());
  if (!usable) return Failure{error_reply(400, "invalid JSON")};
  const json::Value root = parsed.value();
  const json::Value message = root["params"]["message"];
  if (message.is_object()) {
    if (auto problem = message_refusal(message)) return Failure{*std::move(problem)};
  }

  Envelope envelope;
  envelope.text = write_envelope(root, context_id);
  if (nesting(envelope.text) > max_nesting) {
    return Failure{refusal("invalid JSON", "it is nested too deeply")};
  }
  envelope.method = text::prefix_bytes(root["method"].string_or(""), method_bytes);
  const std::string_view id = message["messageId"].string_or("");
  if (!id.empty()) envelope.message_id = std::string(id);
  envelope.in_reply_to = message["metadata"]["in_reply_to"].string_or("");
  return envelope;
}

}  // namespace molecule::server

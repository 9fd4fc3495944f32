#include "platform/requests.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/json/writer.hpp"
#include "base/sha256.hpp"

namespace molecule::platform {

std::string content_key(const NewRequest& request) {
  return sha256(fmt::format("{}\n{}\n{}\n{}{}", request.kind, request.recipient_id,
                            request.title.size(), request.title, request.detail));
}

std::string to_json(const NewRequest& request) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("kind", request.kind);
    out.field("title", request.title);
    if (!request.detail.empty()) out.field("detail", request.detail);
    out.field("recipient_type", request.recipient_id.empty() ? "user" : "agent");
    if (!request.recipient_id.empty()) out.field("recipient_id", request.recipient_id);
    if (request.priority) out.field("priority", *request.priority);
    if (!request.key.empty()) out.field("idempotency_key", request.key);
    if (request.prompt) {
      out.field("source", "permission");
      out.field("prompt_id", request.prompt->prompt_id);
      out.field("tool_name", request.prompt->tool_name);
      out.field("description", request.prompt->description);
      out.field("input_preview", request.prompt->input_preview);
      out.field("session", request.prompt->session);
    }
  }
  return std::move(writer).take();
}

}  // namespace molecule::platform

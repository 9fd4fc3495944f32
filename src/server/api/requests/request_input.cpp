#include "server/api/requests/request_input.hpp"

#include <fmt/format.h>

#include <array>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"

namespace molecule::server {

namespace {

constexpr std::size_t max_key_bytes = 200;

/// The fields of a permission prompt, and how much of each is kept.
struct PromptField {
  std::string_view name;
  std::size_t max_bytes;
};
constexpr std::array<PromptField, 5> prompt_fields{{{"prompt_id", 64},
                                                    {"tool_name", 200},
                                                    {"description", 4096},
                                                    {"input_preview", 1024},
                                                    {"session", 200}}};

std::string prompt_json(Body& body) {
  json::Writer writer;
  {
    auto out = writer.object();
    for (const PromptField& field : prompt_fields) {
      out.field(field.name, text::prefix_bytes(body.text(field.name), field.max_bytes));
    }
  }
  return std::move(writer).take();
}

}  // namespace

std::optional<Reply> title_refusal(std::string_view title) {
  if (text::trim(title).empty()) return error_reply(400, "title is required");
  if (title.size() <= max_title_bytes) return std::nullopt;
  return error_reply(400, fmt::format("title must be <= {} bytes", max_title_bytes));
}

std::optional<Reply> detail_refusal(std::string_view name, std::string_view text) {
  if (text.size() <= max_detail_bytes) return std::nullopt;
  return error_reply(400, fmt::format("{} must be <= {} bytes", name, max_detail_bytes));
}

Result<RequestRow, Reply> read_request_body(Body& body) {
  RequestRow row;
  row.kind = body.text("kind");
  row.title = body.text("title");
  const std::string_view detail = body.text("detail");
  row.priority = body.integer("priority");
  const std::string_view key = body.text("idempotency_key");
  const std::string_view source = body.text("source");
  if (source == "permission") row.prompt = prompt_json(body);
  if (!body.ok()) return Failure{error_reply(400, "invalid request body")};
  if (row.kind != "task" && row.kind != "approval") {
    return Failure{error_reply(400, "kind must be 'task' or 'approval'")};
  }
  if (row.prompt && row.kind != "approval") {
    return Failure{error_reply(400, "a permission prompt is an approval")};
  }
  if (auto refusal = title_refusal(row.title)) return Failure{*std::move(refusal)};
  if (auto refusal = detail_refusal("detail", detail)) return Failure{*std::move(refusal)};
  if (key.size() > max_key_bytes) {
    return Failure{error_reply(400, "idempotency_key is too long")};
  }
  if (!detail.empty()) row.detail = detail;
  if (!key.empty()) row.idempotency_key = key;
  return row;
}

Reply status_reply(int status, std::string_view word, std::string_view request_id) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("status", word);
    out.field("request_id", request_id);
  }
  return json_reply(status, std::move(writer).take());
}

}  // namespace molecule::server

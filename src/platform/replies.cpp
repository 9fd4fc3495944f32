#include "platform/replies.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/json/sanitized.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "platform/parts.hpp"

namespace molecule::platform {

namespace {

std::string name(json::Value value) {
  return text::sanitize_name(value.string_or(""));
}

/// A secret that is safe in a header and in a one-line file.
std::optional<std::string> secret(json::Value value) {
  const std::string_view text = value.string_or("");
  const bool printable = std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
  if (text.empty() || text.size() > 512 || !printable) return std::nullopt;
  return std::string(text);
}

/// The largest upload that any connection completes within the time an upload may take.
constexpr std::int64_t max_upload_limit = std::int64_t{1} << 30;

/// Reads a limit into `limit`, clamped to `max`; keeps the default if it is absent. Returns false
/// for an invalid value.
bool read_limit(json::Value value, std::int64_t max, std::int64_t& limit) {
  if (!value.present()) return true;
  const std::int64_t bytes = value.integer().value_or(0);
  if (bytes > 0) limit = std::min(bytes, max);
  return bytes > 0;
}

std::string artifacts_text(json::Value artifacts) {
  std::string all;
  for (const json::Value artifact : artifacts.items()) {
    const std::string text = text_of_parts(artifact["parts"]);
    if (text.empty()) continue;
    if (!all.empty()) all += '\n';
    all += text;
  }
  return all;
}

/// The peer's answer: a message, a task with artifacts or a status, or plain text.
std::string result_text(json::Value result) {
  if (const auto text = result.string()) return std::string(*text);
  if (std::string text = text_of_parts(result["parts"]); !text.empty()) return text;
  if (std::string text = artifacts_text(result["artifacts"]); !text.empty()) return text;
  if (std::string text = text_of_parts(result["message"]["parts"]); !text.empty()) return text;
  if (std::string text = text_of_parts(result["status"]["message"]["parts"]); !text.empty()) {
    return text;
  }
  if (result["task"].is_object()) return result_text(result["task"]);
  return json::dump_sanitized(result);
}

std::string error_text(json::Value error) {
  if (const auto text = error.string()) return std::string(*text);
  if (const auto text = error["message"].string()) return std::string(*text);
  return json::dump_sanitized(error);
}

bool failed_task(json::Value result) {
  const std::string_view state = result["status"]["state"].string_or("");
  return state == "failed" || state == "rejected" || state == "canceled";
}

std::optional<Memory> memory(json::Value value) {
  const auto id = value["id"].string();
  if (!id) return std::nullopt;
  return Memory{.id = name(value["id"]),
                .scope = name(value["scope"]),
                .content = text::sanitize(value["content"].string_or(""))};
}

}  // namespace

std::optional<Registration> read_registration(json::Document& body) {
  const json::Value root = body.root();
  if (!root["status"].is_string()) return std::nullopt;
  return Registration{.delivery_mode = name(root["delivery_mode"]),
                      .auth_token = secret(root["auth_token"]),
                      .inbound_secret = secret(root["platform_inbound_secret"])};
}

std::optional<HeartbeatReply> read_heartbeat(json::Document& body) {
  const json::Value root = body.root();
  if (!root["status"].is_string()) return std::nullopt;
  return HeartbeatReply{.inbound_secret = secret(root["platform_inbound_secret"])};
}

std::optional<std::vector<Peer>> read_peers(json::Document& body) {
  if (!body.root().is_array()) return std::nullopt;
  std::vector<Peer> peers;
  for (const json::Value item : body.root().items()) {
    Peer peer{.id = name(item["id"]),
              .name = name(item["name"]),
              .role = name(item["role"]),
              .status = name(item["status"])};
    if (!peer.id.empty()) peers.push_back(std::move(peer));
  }
  return peers;
}

std::optional<std::string> read_workspace(json::Document& body) {
  if (!body.root()["id"].is_string()) return std::nullopt;
  return json::dump_sanitized(body.root());
}

std::optional<NewWorkspace> read_new_workspace(json::Document& body) {
  const json::Value root = body.root();
  NewWorkspace made;
  made.id = text::lower(root["id"].string_or(""));
  made.token = secret(root["connection"]["auth_token"]).value_or("");
  if (!is_uuid(made.id)) return std::nullopt;
  return made;
}

std::optional<A2aReply> read_a2a(json::Document& body) {
  const json::Value root = body.root();
  if (!root.is_object()) return std::nullopt;
  A2aReply reply;
  const json::Value error = root["error"];
  const json::Value result = root["result"];
  if (error.present() && !error.is_null()) {
    reply.failed = true;
    reply.text = text::sanitize(error_text(error));
  } else if (result.present()) {
    reply.failed = failed_task(result);
    if (!result.is_null()) reply.text = text::sanitize(result_text(result));
  } else if (root["status"].string_or("") == "queued" || root["queued"].boolean() == true) {
    reply.queued = true;
  } else {
    return std::nullopt;
  }
  return reply;
}

std::optional<ActivityPage> read_rows(json::Document& body) {
  if (!body.root().is_array()) return std::nullopt;
  ActivityPage page;
  page.document = std::move(body);
  page.rows = page.document.root().items();
  return page;
}

std::optional<std::vector<UploadedFile>> read_uploads(json::Document& body) {
  const json::Value list = body.root()["files"];
  if (!list.is_array()) return std::nullopt;
  std::vector<UploadedFile> files;
  for (const json::Value item : list.items()) {
    const auto uri = item["uri"].string();
    const auto file_name = item["name"].string();
    if (!uri || uri->empty() || !file_name || file_name->empty()) return std::nullopt;
    UploadedFile file;
    file.uri = *uri;
    file.name = *file_name;
    file.mime_type = item["mimeType"].string_or("");
    file.size = item["size"].integer();
    files.push_back(std::move(file));
  }
  return files;
}

std::optional<UploadLimits> read_upload_limits(json::Document& body) {
  const json::Value root = body.root();
  UploadLimits limits;
  const bool sensible =
      root.is_object() && read_limit(root["per_file_bytes"], max_upload_limit, limits.file_bytes) &&
      read_limit(root["per_request_bytes"], max_upload_limit, limits.total_bytes) &&
      read_limit(root["max_attachments_per_message"], limits.files, limits.files);
  if (!sensible) return std::nullopt;
  return limits;
}

std::optional<Delegation> read_delegation(json::Document& body) {
  const json::Value root = body.root();
  Delegation delegation{.delegation_id = name(root["delegation_id"]),
                        .status = name(root["status"]),
                        .idempotent_hit = root["idempotent_hit"].boolean().value_or(false)};
  if (delegation.delegation_id.empty()) return std::nullopt;
  return delegation;
}

std::optional<Memory> read_memory(json::Document& body) {
  return memory(body.root());
}

std::optional<std::vector<Memory>> read_memories(json::Document& body) {
  if (!body.root().is_array()) return std::nullopt;
  std::vector<Memory> memories;
  for (const json::Value item : body.root().items()) {
    if (auto found = memory(item)) memories.push_back(std::move(*found));
  }
  return memories;
}

std::optional<std::string> read_history(json::Document& body) {
  if (!body.root()["messages"].is_array()) return std::nullopt;
  return json::dump_sanitized(body.root());
}

std::optional<RequestCreated> read_created(json::Document& body) {
  const std::string_view id = body.root()["request_id"].string_or("");
  if (!is_uuid(id)) return std::nullopt;
  return RequestCreated{.request_id = text::lower(id), .status = name(body.root()["status"])};
}

std::optional<std::string> read_thread(json::Document& body) {
  if (!body.root()["request"].is_object()) return std::nullopt;
  return json::dump_sanitized(body.root());
}

std::optional<Broadcast> read_broadcast(json::Document& body) {
  const json::Value root = body.root();
  if (!root.is_object()) return std::nullopt;
  return Broadcast{.status = name(root["status"]), .delivered = root["delivered"].integer()};
}

std::optional<bool> read_nothing(json::Document&) {
  return true;
}

std::optional<std::string> read_status(json::Document& body) {
  if (!body.root().present()) return std::string();
  if (!body.root()["status"].is_string()) return std::nullopt;
  return name(body.root()["status"]);
}

}  // namespace molecule::platform

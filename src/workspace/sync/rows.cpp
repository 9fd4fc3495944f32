#include "workspace/sync/rows.hpp"

#include <algorithm>
#include <array>

#include "base/text/text.hpp"
#include "base/text/time.hpp"
#include "base/uuid.hpp"

namespace molecule::workspace {

namespace {

constexpr std::size_t max_attachments = 64;
constexpr std::size_t max_uri_bytes = 2048;
constexpr std::size_t max_id_bytes = 190;
constexpr std::int64_t max_hops = 1000;
constexpr std::string_view empty_message = "(empty A2A message)";

/// A body is an object, or a string that contains one (which `scratch` then owns).
json::Value body_of(json::Value row, std::string_view key, json::Document& scratch) {
  const json::Value body = row[key];
  const auto text = body.string();
  if (!text) return body;
  auto parsed = scratch.parse(*text);
  return parsed.ok() ? *parsed : json::Value();
}

/// The text parts, one per line; senders mark them by `kind` or by `type`.
std::string text_of_parts(json::Value parts) {
  std::string text;
  for (const json::Value part : parts.items()) {
    const bool is_text =
        part["kind"].string_or("") == "text" || part["type"].string_or("") == "text";
    const std::string_view piece = is_text ? part["text"].string_or("") : std::string_view();
    if (piece.empty()) continue;
    if (!text.empty()) text += '\n';
    text += piece;
  }
  return text;
}

/// The first text that is not blank after sanitising.
template <class... Texts>
std::string first_text(const Texts&... candidates) {
  for (const std::string_view candidate : {std::string_view(candidates)...}) {
    std::string clean = text::sanitize(candidate);
    if (!text::trim(clean).empty()) return clean;
  }
  return std::string(empty_message);
}

std::string message_text(json::Value row) {
  json::Document scratch;
  const json::Value body = body_of(row, "request_body", scratch);
  const json::Value params = body["params"];
  return first_text(text_of_parts(params["message"]["parts"]), text_of_parts(params["parts"]),
                    text_of_parts(body["parts"]), row["summary"].string_or(""));
}

std::string delegation_text(json::Value row) {
  json::Document scratch;
  const json::Value body = body_of(row, "response_body", scratch);
  const json::Value result = body["result"];
  return first_text(body["text"].string_or(""), result.string_or(""),
                    text_of_parts(result["parts"]), text_of_parts(body["parts"]),
                    row["error_detail"].string_or(""), row["summary"].string_or(""));
}

std::string uuid_or_empty(json::Value value) {
  const std::string_view text = value.string_or("");
  return is_uuid(text) ? text::lower(text) : std::string();
}

std::optional<std::int64_t> size_of(json::Value value) {
  const auto size = value.integer();
  return size && *size >= 0 ? size : std::nullopt;
}

/// Only files received here may have `file://` addresses; a sender must not name one.
bool names_local_file(std::string_view uri) {
  const std::string_view scheme = uri.substr(0, uri.find(':'));
  return scheme.size() == uri.size() || text::equal_ignoring_case(text::trim(scheme), "file");
}

/// An id from outside, unchanged; empty if it is not plain.
std::string plain_id(json::Value value) {
  const std::string_view id = value.string_or("");
  const bool plain = id.size() <= max_id_bytes &&
                     std::ranges::all_of(id, [](char c) { return c > ' ' && c < '\x7f'; });
  return plain ? std::string(id) : std::string();
}

std::string first_id(std::initializer_list<json::Value> candidates) {
  for (const json::Value candidate : candidates) {
    if (std::string id = plain_id(candidate); !id.empty()) return id;
  }
  return {};
}

/// No character of it may end an attribute or a line.
std::string web_address(json::Value value) {
  const std::string url = plain_id(value);
  const bool web = url.starts_with("http://") || url.starts_with("https://");
  return web && url.find_first_of("<>\"'") == std::string::npos ? url : std::string();
}

/// The message's own id, and the task that it claims to answer.
void read_ids(json::Value row, Message& message) {
  json::Document scratch;
  if (message.kind == "delegation_result") {
    json::Document second;
    message.task_id = first_id({body_of(row, "response_body", scratch)["delegation_id"],
                                body_of(row, "request_body", second)["delegation_id"]});
    return;
  }
  const json::Value sent = body_of(row, "request_body", scratch)["params"]["message"];
  const std::vector<json::Value> references = sent["referenceTaskIds"].items();
  const json::Value metadata = sent["metadata"];
  message.message_id = plain_id(sent["messageId"]);
  const std::int64_t hops = metadata["molecule/hops"].integer().value_or(-1);
  message.hops = static_cast<int>(std::clamp<std::int64_t>(hops, -1, max_hops));
  message.task_id =
      first_id({metadata["in_reply_to"], metadata["delegation_id"], sent["taskId"],
                references.empty() ? json::Value() : references.front(), sent["contextId"]});
}

/// The file parts of the message, in whichever of the three places they are.
std::vector<Attachment> attachments_of(json::Value row) {
  json::Document scratch;
  const json::Value body = body_of(row, "request_body", scratch);
  const json::Value params = body["params"];
  std::vector<Attachment> files;
  for (const json::Value parts : {params["message"]["parts"], params["parts"], body["parts"]}) {
    for (const json::Value part : parts.items()) {
      const json::Value file = part["file"];
      const std::string uri = text::one_line(file["uri"].string_or(""));
      if (uri.empty() || uri.size() > max_uri_bytes || files.size() >= max_attachments) continue;
      Attachment attachment{.uri = uri,
                            .name = text::sanitize_name(file["name"].string_or("")),
                            .mime_type = text::sanitize_name(file["mimeType"].string_or("")),
                            .size = size_of(file["size"])};
      if (names_local_file(uri)) {
        attachment.uri.clear();
        attachment.status = "not received: it names a file of this machine";
      }
      files.push_back(std::move(attachment));
    }
  }
  return files;
}

std::optional<Upload> read_upload(json::Value row, bool own) {
  json::Document scratch;
  const json::Value body = body_of(row, "request_body", scratch);
  const std::string_view id = body["file_id"].string_or("");
  if (!is_uuid(id)) return std::nullopt;
  return Upload{.file_id = text::lower(id),
                .name = std::string(body["name"].string_or("")),
                .size = size_of(body["size"]),
                .mime_type = text::sanitize_name(body["mimeType"].string_or("")),
                .own = own};
}

/// True if somebody sent it to `/a2a`: such a row holds a JSON-RPC body, and no response.
bool was_sent(json::Value row) {
  json::Document scratch;
  const json::Value body = body_of(row, "request_body", scratch);
  const json::Value response = row["response_body"];
  if (response.is_object() || !response.string_or("").empty()) return false;
  return body["jsonrpc"].present() || body["method"].present() || body["params"].present();
}

/// True for what this workspace or the platform wrote itself, which is no message to it.
bool skipped(std::string_view type, std::string_view method, bool has_source, bool from_self) {
  if (method == "notify" && !has_source) return true;
  const bool received = type.empty() || type == "a2a_receive" || type == "broadcast_receive";
  return !received || (from_self && method != "delegate_result");
}

}  // namespace

Row read_row(json::Value row, std::string_view workspace_id) {
  Row result;
  const std::string_view id = row["id"].string_or("");
  if (!is_uuid(id)) return result;
  result.id = id;
  result.sequence = std::max<std::int64_t>(row["seq"].integer().value_or(0), 0);
  const std::string_view created_at = row["created_at"].string_or("");
  if (parse_rfc3339(created_at)) result.created_at = created_at;

  const std::string self = text::lower(workspace_id);
  const std::string_view method = row["method"].string_or("");
  const std::string source = uuid_or_empty(row["source_id"]);
  // A malformed source is an unknown sender, never the human.
  const bool has_source = !row["source_id"].string_or("").empty();
  // A peer chooses the method of its messages; what the platform or this workspace itself writes
  // has no source, or our own.
  const bool trusted = !has_source || source == self;
  if (method == "chat_upload_receive" && trusted) {
    result.upload = read_upload(row, source == self);
    return result;
  }
  if (skipped(row["activity_type"].string_or(""), method, has_source, source == self)) {
    return result;
  }
  Message message;
  message.activity_id = result.id;
  message.created_at = result.created_at;
  message.sequence = result.sequence;
  message.method = text::sanitize_name(method);
  message.peer_name = text::sanitize_name(row["peer_name"].string_or(""));
  message.peer_role = text::sanitize_name(row["peer_role"].string_or(""));
  message.agent_card_url = web_address(row["agent_card_url"]);
  if (method == "delegate_result" && (trusted || !was_sent(row))) {
    message.kind = "delegation_result";
    message.text = delegation_text(row);
    // The workspace itself writes this row: the peer is the one that was asked.
    message.peer_id = source.empty() || source == self ? uuid_or_empty(row["target_id"]) : source;
    if (message.peer_id == self) message.peer_id.clear();
  } else {
    message.kind = has_source ? "peer_agent" : "canvas_user";
    message.text = message_text(row);
    message.attachments = attachments_of(row);
    message.peer_id = source;
  }
  read_ids(row, message);
  result.message = std::move(message);
  return result;
}

}  // namespace molecule::workspace

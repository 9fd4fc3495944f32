#include "workspace/sync/rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "base/json/limits.hpp"
#include "base/text/text.hpp"
#include "base/text/time.hpp"
#include "base/uuid.hpp"
#include "platform/parts.hpp"

namespace molecule::workspace {

namespace {

constexpr std::size_t max_attachments = 64;
constexpr std::size_t max_uri_bytes = 2048;
constexpr std::size_t max_id_bytes = 190;
constexpr std::int64_t max_hops = 1000;

/// A body is an object, or a string that contains one (which `scratch` then owns).
json::Value body_of(json::Value row, std::string_view key, json::Document& scratch) {
  const json::Value body = row[key];
  const auto text = body.string();
  if (!text) return body;
  auto parsed = json::parse_lenient(scratch, *text);
  return parsed.ok() ? *parsed : json::Value();
}

/// The first text that is not blank after sanitising; empty if there is none.
std::string first_text(std::initializer_list<std::string_view> candidates) {
  for (const std::string_view candidate : candidates) {
    std::string clean = text::sanitize(candidate);
    if (!text::trim(clean).empty()) return clean;
  }
  return {};
}

/// Where the parts of a message may be.
std::vector<json::Value> parts_of(json::Value body) {
  const json::Value params = body["params"];
  return {params["message"]["parts"], params["message"]["content"], params["parts"],
          body["message"]["parts"],   body["message"]["content"],   body["parts"]};
}

std::size_t count_files(const std::vector<json::Value>& places) {
  std::size_t count = 0;
  for (const json::Value parts : places) count += platform::files_of_parts(parts).size();
  return count;
}

/// What a message says; empty if it has no text.
std::string said(json::Value body) {
  for (const json::Value parts : parts_of(body)) {
    std::string text = first_text({platform::text_of_parts(parts)});
    if (!text.empty()) return text;
  }
  return first_text({body["text"].string_or("")});
}

std::string instead_of_text(std::size_t files) {
  if (files == 0) return "(empty A2A message)";
  return fmt::format("(no text; {} file{})", files, files == 1 ? "" : "s");
}

/// The platform's summary, its own line about the row, stands for a message of which the row has
/// nothing; it never replaces what the sender sent.
std::string message_text(json::Value row) {
  json::Document scratch;
  const json::Value body = body_of(row, "request_body", scratch);
  std::string text = said(body);
  if (!text.empty()) return text;
  const std::vector<json::Value> places = parts_of(body);
  const bool has_parts =
      std::ranges::any_of(places, [](json::Value parts) { return !parts.items().empty(); });
  if (!has_parts) text = first_text({row["summary"].string_or("")});
  return text.empty() ? instead_of_text(count_files(places)) : text;
}

std::string delegation_text(json::Value row) {
  json::Document scratch;
  const json::Value body = body_of(row, "response_body", scratch);
  const json::Value result = body["result"];
  std::string text =
      first_text({body["text"].string_or(""), result.string_or(""),
                  platform::text_of_parts(result["parts"]), platform::text_of_parts(body["parts"]),
                  row["error_detail"].string_or(""), row["summary"].string_or("")});
  return text.empty() ? instead_of_text(0) : text;
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

Attachment attachment_of(const platform::FilePart& file) {
  Attachment attachment{.uri = text::one_line(file.uri),
                        .name = text::sanitize_name(file.name),
                        .mime_type = text::sanitize_name(file.mime_type),
                        .size = file.size && *file.size >= 0 ? file.size : std::nullopt};
  if (attachment.uri.empty()) {
    attachment.status = "not received: it was sent without an address";
  } else if (attachment.uri.size() > max_uri_bytes) {
    attachment.status = "not received: its address is too long";
  } else if (names_local_file(attachment.uri)) {
    attachment.status = "not received: it names a file of this machine";
  }
  if (!attachment.status.empty()) attachment.uri.clear();
  return attachment;
}

/// The files of the message, in whichever place its parts are.
std::vector<Attachment> attachments_of(json::Value row) {
  json::Document scratch;
  std::vector<Attachment> files;
  for (const json::Value parts : parts_of(body_of(row, "request_body", scratch))) {
    for (const platform::FilePart& file : platform::files_of_parts(parts)) {
      if (files.size() < max_attachments) files.push_back(attachment_of(file));
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

std::string row_text(json::Value row) {
  return row["method"].string_or("") == "delegate_result" ? delegation_text(row)
                                                          : message_text(row);
}

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
  // A malformed source of whatever type is an unknown sender, never the human.
  const json::Value given = row["source_id"];
  const bool has_source = given.present() && !given.is_null() && given.string() != "";
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
    // The platform's word on a request; on one that lets peers choose this method, a peer's.
    const bool update = method == "request_update";
    message.kind = update ? "request_update" : (has_source ? "peer_agent" : "canvas_user");
    message.text = message_text(row);
    message.attachments = attachments_of(row);
    message.peer_id = source;
  }
  read_ids(row, message);
  result.message = std::move(message);
  return result;
}

}  // namespace molecule::workspace

#include <fmt/format.h>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "platform/text_message.hpp"
#include "server/access/rules.hpp"
#include "server/api/files/pending_uploads.hpp"
#include "server/api/input.hpp"
#include "server/api/limits/quotas.hpp"
#include "server/api/messages/activity_rows.hpp"

namespace molecule::server {

namespace {

constexpr std::size_t summary_bytes = 80;
constexpr std::size_t broadcast_summary_characters = 120;

struct Attachment {
  std::string uri;
  std::string name;
  std::string mime_type;
  std::int64_t size = 0;
};

Failure<Reply> bad_notification() {
  return Failure{error_reply(400, "message is required")};
}

/// An optional string, "" if it is absent; empty for a value of another type.
std::optional<std::string> optional_text(json::Value value) {
  if (!value.present() || value.is_null()) return std::string();
  if (const auto text = value.string()) return std::string(*text);
  return std::nullopt;
}

std::optional<Attachment> read_attachment(json::Value item) {
  const auto uri = optional_text(item["uri"]);
  const auto name = optional_text(item["name"]);
  const auto mime_type = optional_text(item["mimeType"]);
  const json::Value size = item["size"];
  const bool size_fits = !size.present() || size.is_null() || size.integer();
  if (!item.is_object() || !uri || !name || !mime_type || !size_fits) return std::nullopt;
  return Attachment{*uri, *name, *mime_type, size.integer().value_or(0)};
}

Result<std::vector<Attachment>, Reply> read_attachments(json::Value list) {
  std::vector<Attachment> attachments;
  if (!list.present()) return attachments;
  if (!list.is_array()) return bad_notification();
  for (const json::Value item : list.items()) {
    const std::optional<Attachment> attachment = read_attachment(item);
    if (!attachment) return bad_notification();
    attachments.push_back(*attachment);
  }
  if (attachments.size() > max_attachments) {
    return Failure{
        error_reply(400, fmt::format("at most {} attachments per message", max_attachments))};
  }
  for (std::size_t i = 0; i < attachments.size(); ++i) {
    if (!attachments[i].uri.empty() && !attachments[i].name.empty()) continue;
    return Failure{error_reply(400, fmt::format("attachment[{}]: uri and name are required", i))};
  }
  return attachments;
}

void write_attachment(json::Object out, const Attachment& attachment) {
  out.field("uri", attachment.uri);
  out.field("name", attachment.name);
  if (!attachment.mime_type.empty()) out.field("mimeType", attachment.mime_type);
  if (attachment.size > 0) out.field("size", attachment.size);
}

/// What an agent writes to the person.
struct Note {
  std::string_view message;
  std::vector<Attachment> attachments = {};
  std::string_view message_id = {};
  /// The messageId of the person's message that it answers.
  std::string_view in_reply_to = {};
};

std::string event_payload(const WorkspaceRow& workspace, const Note& note) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("message", note.message);
    if (!note.message_id.empty()) out.field("message_id", note.message_id);
    if (!note.in_reply_to.empty()) out.field("in_reply_to", note.in_reply_to);
    out.field("workspace_id", workspace.id);
    out.field("name", workspace.name);
    if (!note.attachments.empty()) {
      auto list = out.array("attachments");
      for (const Attachment& file : note.attachments) write_attachment(list.object(), file);
    }
  }
  return std::move(writer).take();
}

std::string response_json(const Note& note) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("result", note.message);
    if (!note.in_reply_to.empty()) out.field("in_reply_to", note.in_reply_to);
    if (!note.attachments.empty()) {
      auto parts = out.array("parts");
      for (const Attachment& attachment : note.attachments) {
        auto part = parts.object();
        part.field("kind", "file");
        write_attachment(part.object("file"), attachment);
      }
    }
  }
  return std::move(writer).take();
}

/// The hosted platform keeps a broadcast only as a summary: the whole text is here.
std::string broadcast_envelope(Context& context, std::string_view message) {
  const std::string id = context.new_id();
  const std::string message_id = context.new_id();
  return to_json(platform::TextMessage{
      .id = id, .method = "broadcast", .message_id = message_id, .text = message});
}

std::string broadcast_payload(const WorkspaceRow& sender, std::string_view message) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("message", message);
    out.field("sender_id", sender.id);
    out.field("sender", sender.name);
  }
  return std::move(writer).take();
}

Reply ability_refusal(std::string_view error, std::string_view hint) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("error", error);
    out.field("hint", hint);
  }
  return json_reply(403, std::move(writer).take());
}

awaitable<std::vector<std::string>> audience(Context& context, const WorkspaceRow& sender) {
  std::vector<std::string> ids;
  store::Rows row = co_await context.store.query(
      "SELECT id FROM workspaces WHERE status != 'removed' AND id != $1 ORDER BY created_at, id",
      sender.id);
  while (row.next()) {
    const bool may = co_await can_communicate(context.store, sender.id, row.text(0));
    if (may) ids.push_back(row.string(0));
  }
  co_return ids;
}

}  // namespace

awaitable<Reply> post_notify(Context& context, Request request) {
  Body body(request.body);
  Note note{.message = body.text("message"),
            .message_id = body.text("messageId"),
            .in_reply_to = body.text("in_reply_to")};
  if (!body.ok() || note.message.empty()) co_return error_reply(400, "message is required");
  auto attachments = read_attachments(body.any("attachments"));
  if (!attachments) co_return std::move(attachments.error());
  note.attachments = std::move(*attachments);
  const auto workspace = co_await find_workspace(context, request.args.at(0));
  if (!workspace || workspace->status == "removed") {
    co_return error_reply(404, "workspace not found");
  }

  if (!workspace->talk_to_user_enabled && request.caller.workspace()) {
    co_return ability_refusal("talk_to_user_disabled",
                              "This workspace may not write to the person. The person can allow "
                              "it: PATCH /workspaces/:id/abilities.");
  }

  const std::string_view shown = text::prefix_bytes(note.message, summary_bytes);
  Activity row;
  row.workspace_id = workspace->id;
  row.type = "a2a_receive";
  row.method = "notify";
  row.summary = fmt::format("Agent message: {}{}", shown,
                            shown.size() < note.message.size() ? "\xE2\x80\xA6" : "");
  row.response_body = response_json(note);
  // An addition to platform-api.md 4.3: a message that is sent again counts once. The prefix keeps
  // its id apart from those of the user's messages, which have no source either.
  if (!note.message_id.empty()) row.message_id = fmt::format("notify:{}", note.message_id);
  auto full = co_await refuse_message(context, row, workspace->id);
  if (full) co_return *std::move(full);
  const std::int64_t inserted = co_await insert_activity(context, row);
  if (inserted > 0) {
    context.events.broadcast("AGENT_MESSAGE", workspace->id, event_payload(*workspace, note));
  }
  co_return json_reply(200, R"({"status":"sent"})");
}

awaitable<Reply> post_broadcast(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  Body body(request.body);
  const std::string_view message = body.text("message");
  if (!body.ok() || message.empty()) co_return error_reply(400, "message is required");

  if (!workspace->broadcast_enabled && request.caller.workspace()) {
    co_return ability_refusal("broadcast_disabled",
                              "This workspace may not broadcast. The person can allow it: PATCH "
                              "/workspaces/:id/abilities.");
  }

  const std::vector<std::string> ids = co_await audience(context, *workspace);
  Activity row;
  row.type = "broadcast_receive";
  row.source_id = workspace->id;
  row.method = "broadcast";
  const std::string_view shown = text::prefix_characters(message, broadcast_summary_characters);
  row.summary = fmt::format("Broadcast from {}: {}{}", workspace->name, shown,
                            shown.size() < message.size() ? "\xE2\x80\xA6" : "");
  row.request_body = broadcast_envelope(context, message);
  const std::string payload = broadcast_payload(*workspace, message);
  std::size_t delivered = 0;
  for (const std::string& id : ids) {
    // A full inbox must not keep the broadcast from the others.
    auto full = co_await refuse_row(context, id, workspace->id, row_bytes(row));
    if (full) continue;
    row.workspace_id = id;
    row.target_id = id;
    co_await insert_activity(context, row);
    broadcast_activity(context, row);
    context.events.broadcast("BROADCAST_MESSAGE", id, payload);
    ++delivered;
  }
  row.workspace_id = workspace->id;
  row.target_id = std::nullopt;
  row.type = "broadcast_sent";
  row.summary = fmt::format("Broadcast sent to {} workspace(s)", delivered);
  co_await insert_activity(context, row);
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("status", "sent");
    out.field("delivered", delivered);
  }
  co_return json_reply(200, std::move(writer).take());
}

}  // namespace molecule::server

#include "tools/inbox/message_json.hpp"

#include <utility>

#include "tools/results/limits.hpp"

namespace molecule::tools {

namespace {

std::string to_json(const workspace::Attachment& file) {
  json::Writer writer;
  {
    auto item = writer.object();
    item.field("uri", file.uri);
    item.field("name", file.name);
    if (!file.mime_type.empty()) item.field("mimeType", file.mime_type);
    if (file.size) item.field("size", *file.size);
    if (!file.status.empty()) item.field("status", file.status);
  }
  return std::move(writer).take();
}

/// As many as fit into `max` bytes, but one at least.
void write_attachments(json::Object& out, const std::vector<workspace::Attachment>& attachments,
                       std::size_t max) {
  std::size_t bytes = 0;
  std::size_t written = 0;
  {
    auto list = out.array("attachments");
    for (const workspace::Attachment& file : attachments) {
      const std::string item = to_json(file);
      bytes += item.size();
      if (written > 0 && bytes > max) break;
      list.raw(item);
      ++written;
    }
  }
  if (written < attachments.size()) out.field("attachments_more", attachments.size() - written);
}

}  // namespace

void write_message(json::Object& object, const workspace::Message& message, Shown shown) {
  object.field("activity_id", message.activity_id);
  write_slice(object, "text", message.text, slice(message.text, shown.offset, shown.max_bytes));
  object.field("peer_id", message.peer_id);
  object.field("kind", message.kind);
  object.field("method", message.method);
  object.field("created_at", message.created_at);
  if (!message.peer_name.empty()) object.field("peer_name", message.peer_name);
  if (!message.peer_role.empty()) object.field("peer_role", message.peer_role);
  if (!message.agent_card_url.empty()) object.field("agent_card_url", message.agent_card_url);
  if (!message.task_id.empty()) object.field("task_id", message.task_id);
  if (!message.task.empty()) object.field("task", message.task);
  if (message.with_another_session) object.field("with_another_session", true);
  if (!message.arrival_workspace_id.empty()) {
    object.field("arrival_workspace_id", message.arrival_workspace_id);
  }
  if (!message.attachments.empty()) {
    write_attachments(object, message.attachments, shown.max_bytes);
  }
}

std::string to_json(const workspace::Message& message, Shown shown) {
  json::Writer writer;
  {
    auto object = writer.object();
    write_message(object, message, shown);
  }
  return std::move(writer).take();
}

bool is_cut(const workspace::Message& message, Shown shown) {
  return slice(message.text, shown.offset, shown.max_bytes).next > 0;
}

}  // namespace molecule::tools

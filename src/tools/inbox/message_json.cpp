#include "tools/inbox/message_json.hpp"

#include <utility>

namespace molecule::tools {

namespace {

void write_attachments(json::Object& out, const std::vector<workspace::Attachment>& attachments) {
  auto list = out.array("attachments");
  for (const workspace::Attachment& file : attachments) {
    auto item = list.object();
    item.field("uri", file.uri);
    item.field("name", file.name);
    if (!file.mime_type.empty()) item.field("mimeType", file.mime_type);
    if (file.size) item.field("size", *file.size);
    if (!file.status.empty()) item.field("status", file.status);
  }
}

}  // namespace

void write_message(json::Object& object, const workspace::Message& message) {
  object.field("activity_id", message.activity_id);
  object.field("text", message.text);
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
  if (!message.attachments.empty()) write_attachments(object, message.attachments);
}

std::string to_json(const workspace::Message& message) {
  json::Writer writer;
  {
    auto object = writer.object();
    write_message(object, message);
  }
  return std::move(writer).take();
}

}  // namespace molecule::tools

#include "platform/bodies.hpp"

#include "base/json/writer.hpp"
#include "base/text/text.hpp"

namespace molecule::platform {

std::string register_body(std::string_view id, std::string_view agent_card) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("id", id);
    o.field("url", "");
    o.raw("agent_card", agent_card);
    o.field("delivery_mode", "poll");
  }
  return std::move(writer).take();
}

std::string heartbeat_body(std::string_view id, const HeartbeatRequest& heartbeat) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("workspace_id", id);
    o.field("error_rate", 0);
    o.field("sample_error", "");
    o.field("active_tasks", heartbeat.active_tasks);
    o.field("current_task", heartbeat.current_task);
    o.field("uptime_seconds", heartbeat.uptime_seconds);
  }
  return std::move(writer).take();
}

std::string notify_body(std::string_view message, const std::vector<UploadedFile>& attachments,
                        std::string_view message_id, std::string_view in_reply_to) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("message", message);
    o.field("messageId", message_id);
    if (!in_reply_to.empty()) o.field("in_reply_to", in_reply_to);
    if (!attachments.empty()) {
      auto list = o.array("attachments");
      for (const UploadedFile& file : attachments) {
        auto item = list.object();
        item.field("uri", file.uri);
        item.field("name", file.name);
        if (!file.mime_type.empty()) item.field("mimeType", file.mime_type);
        if (file.size) item.field("size", *file.size);
      }
    }
  }
  return std::move(writer).take();
}

std::string report_body(const ActivityReport& report) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("activity_type", report.activity_type);
    o.field("method", report.method);
    o.field("summary", text::prefix_characters(text::repair_utf8(report.summary), 256));
    if (!report.target_id.empty()) o.field("target_id", report.target_id);
    o.field("status", report.status);
    if (!report.error_detail.empty()) {
      o.field("error_detail",
              text::prefix_characters(text::repair_utf8(report.error_detail), 4096));
    }
  }
  return std::move(writer).take();
}

std::string text_fields(Pairs fields) {
  json::Writer writer;
  {
    auto o = writer.object();
    for (const auto& [key, value] : fields) o.field(key, value);
  }
  return std::move(writer).take();
}

std::string query_string(Pairs parameters) {
  std::string query;
  for (const auto& [key, value] : parameters) {
    if (value.empty()) continue;
    query += query.empty() ? '?' : '&';
    query += key;
    query += '=';
    query += text::percent_encode(value);
  }
  return query;
}

std::string card_body(std::string_view id, std::string_view agent_card) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("workspace_id", id);
    o.raw("agent_card", agent_card);
  }
  return std::move(writer).take();
}

std::string ack_body(std::int64_t seq) {
  json::Writer writer;
  writer.object().field("acked_seq", seq);
  return std::move(writer).take();
}

}  // namespace molecule::platform

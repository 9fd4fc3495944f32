#include "server/api/requests/request_news.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "server/api/messages/activity_rows.hpp"
#include "server/api/workspaces/workspace_rows.hpp"

namespace molecule::server {

namespace {

using Event = RequestNews::Event;

std::string_view name_of(Event event) {
  switch (event) {
    case Event::created:
      return "created";
    case Event::responded:
      return "responded";
    case Event::message:
      return "message";
    case Event::cancelled:
      return "cancelled";
    case Event::reminder:
      break;
  }
  return "reminder";
}

/// What others chose, so that it ends where the quotes say: no title and no name looks like a
/// sentence of the platform's.
std::string in_quotes(std::string_view text) {
  std::string line = text::one_line(text);
  std::ranges::replace(line, '"', '\'');
  return fmt::format("\"{}\"", line);
}

/// What the agent reads. `who` is the author.
std::string text_of(const RequestRow& row, const RequestNews& news, std::string_view who) {
  const std::string what =
      fmt::format("{} request {} (request_id {})", row.kind, in_quotes(row.title), row.id);
  const auto with = [](std::string line, std::string_view rest) {
    return rest.empty() ? line : fmt::format("{}\n{}", line, rest);
  };
  switch (news.event) {
    case Event::created:
      return with(fmt::format("New {} from {}:", what, who), row.detail.value_or(""));
    case Event::responded:
      return with(fmt::format("The {} is {} by {}.", what, row.status, who),
                  row.reason.value_or(""));
    case Event::message:
      return with(fmt::format("{} writes about the {}:", who, what), news.body);
    case Event::cancelled:
      return fmt::format("The {} was cancelled by {}.", what, who);
    case Event::reminder:
      break;
  }
  return with(fmt::format("Still waiting for your answer: {} from {}.", what, who),
              row.detail.value_or(""));
}

std::string envelope_of(const RequestRow& row, const RequestNews& news, std::string_view text) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("jsonrpc", "2.0");
    out.field("id", random_uuid());
    out.field("method", "request_update");
    auto params = out.object("params");
    auto message = params.object("message");
    message.field("role", "user");
    message.field("messageId", random_uuid());
    {
      auto parts = message.array("parts");
      auto part = parts.object();
      part.field("kind", "text");
      part.field("text", text);
    }
    auto metadata = message.object("metadata");
    metadata.field("request_id", row.id);
    metadata.field("kind", row.kind);
    metadata.field("status", row.status);
    metadata.field("event", name_of(news.event));
    metadata.field("author_type", news.author.type);
    metadata.field("author_id", news.author.id);
  }
  return std::move(writer).take();
}

/// The agents that take part, once each.
std::vector<std::string> agents_of(const RequestRow& row) {
  std::vector<std::string> ids;
  for (const Party* party : {&row.requester, &row.recipient}) {
    if (party->is_agent()) ids.push_back(party->id);
  }
  return ids;
}

std::string payload_of(const RequestRow& row, const RequestNews& news) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("request_id", row.id);
    out.field("kind", row.kind);
    out.field("title", row.title);
    out.field("status", row.status);
    out.field("requester_type", row.requester.type);
    out.field("requester_id", row.requester.id);
    out.field("recipient_type", row.recipient.type);
    out.field("recipient_id", row.recipient.id);
    if (news.event == Event::responded) {
      out.field("responder_type", news.author.type);
      out.field("responder_id", news.author.id);
      out.nullable("reason", row.reason);
    }
    if (news.event == Event::message) {
      out.field("message_id", news.message_id);
      out.field("author_type", news.author.type);
      out.field("author_id", news.author.id);
    }
  }
  return std::move(writer).take();
}

std::string_view event_name(Event event) {
  switch (event) {
    case Event::created:
      return "REQUEST_CREATED";
    case Event::responded:
      return "REQUEST_RESPONDED";
    case Event::message:
      return "REQUEST_MESSAGE";
    case Event::cancelled:
      return "REQUEST_CANCELLED";
    case Event::reminder:
      break;
  }
  return {};
}

/// The older names, of requests to the person.
std::string_view old_event_name(const RequestRow& row, Event event) {
  const bool task = row.kind == "task";
  if (event == Event::created) return task ? "USER_TASK_REQUESTED" : "APPROVAL_REQUESTED";
  if (event == Event::cancelled) return task ? "USER_TASK_RESOLVED" : "APPROVAL_WITHDRAWN";
  if (event != Event::responded) return {};
  if (task) return "USER_TASK_RESOLVED";
  return row.status == "approved" ? "APPROVAL_APPROVED" : "APPROVAL_DENIED";
}

std::string old_payload(const RequestRow& row, Event event) {
  const bool task = row.kind == "task";
  json::Writer writer;
  {
    auto out = writer.object();
    out.field(task ? "user_task_id" : "approval_id", row.id);
    out.field(task ? "title" : "action", row.title);
    if (!task) out.nullable("reason", row.detail);
    if (event != Event::created) {
      out.field("status", task ? (row.status == "done" ? "done" : "dismissed") : row.status);
      out.field(task ? "resolved_by" : "decided_by", event == Event::responded ? "human" : "agent");
    }
  }
  return std::move(writer).take();
}

awaitable<std::string> author_name(Context& context, Party author) {
  if (!author.is_agent()) co_return "the person";
  const std::optional<WorkspaceRow> found = co_await find_workspace(context, author.id);
  co_return found ? fmt::format("the agent {}", in_quotes(found->name)) : author.id;
}

}  // namespace

awaitable<void> tell_agents(Context& context, RequestRow row, RequestNews news) {
  constexpr std::size_t summary_bytes = 120;
  const std::string who = co_await author_name(context, news.author);
  const std::string text = text_of(row, news, who);
  Activity told;
  told.type = "a2a_receive";
  told.method = "request_update";
  // Never taken for the person's words where an agent caused it.
  if (news.author.is_agent()) told.source_id = news.author.id;
  told.summary = text::prefix_bytes(text.substr(0, text.find('\n')), summary_bytes);
  told.request_body = envelope_of(row, news, text);
  for (const std::string& id : agents_of(row)) {
    if (news.author == Party::agent(id)) continue;
    if (news.event == Event::reminder && row.recipient != Party::agent(id)) continue;
    const std::optional<WorkspaceRow> agent = co_await find_workspace(context, id);
    if (!agent || agent->status == "removed") continue;
    told.workspace_id = id;
    told.target_id = id;
    co_await insert_activity(context, told);
    broadcast_activity(context, told);
  }
}

void record_request_events(Context& context, const RequestRow& row, const RequestNews& news) {
  const std::string payload = payload_of(row, news);
  for (const std::string& id : agents_of(row)) {
    context.events.record(event_name(news.event), id, payload);
  }
  const std::string_view old = old_event_name(row, news.event);
  if (old.empty() || row.recipient.is_agent()) return;
  context.events.record(old, row.requester.id, old_payload(row, news.event));
}

}  // namespace molecule::server

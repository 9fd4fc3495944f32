#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "molecule/mcp/arguments.hpp"
#include "tools/errors.hpp"
#include "tools/peers/choose.hpp"
#include "tools/peers/find_peer.hpp"
#include "tools/results/limits.hpp"
#include "tools/tool_registry.hpp"

namespace molecule::tools {

namespace {

/// The text of one request's detail or message, of which a thread may have hundreds.
constexpr std::size_t max_detail_bytes = 8'000;

/// A required request id, as the platform spells it.
std::string read_id(mcp::Arguments& arguments) {
  std::string id(text::trim(arguments.text("request_id")));
  if (!id.empty() && !is_uuid(id)) arguments.reject("request_id", "must be a request's UUID");
  return text::lower(id);
}

bool is_the_person(std::string_view recipient) {
  const std::string name = text::lower(text::trim(recipient));
  return name.empty() || name == "user" || name == "human" || name == "person" ||
         name == "canvas_user";
}

awaitable<mcp::ToolResult> create_request(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  platform::NewRequest wanted;
  wanted.kind = text::lower(text::trim(arguments.text("kind")));
  wanted.title = arguments.text("title");
  wanted.detail = arguments.string_or("detail", "");
  const std::string recipient = arguments.string_or("recipient", "");
  const std::int64_t priority = arguments.integer("priority", 0, -100, 100);
  if (priority != 0) wanted.priority = priority;
  if (!wanted.kind.empty() && wanted.kind != "task" && wanted.kind != "approval") {
    arguments.reject("kind", "must be task or approval");
  }
  const workspace::Workspace* source = source_workspace(services, arguments);
  if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
  PeerChoice peer;
  if (!is_the_person(recipient)) {
    peer = co_await find_peer(services, recipient, source);
    if (peer.failure) co_return std::move(*peer.failure);
    if (!peer.problem.empty()) arguments.reject("recipient", peer.problem);
  }
  workspace::Workspace& workspace = choose_workspace(services, arguments, peer.id);
  if (auto wrong = rejection(services, arguments, workspace)) co_return std::move(*wrong);
  wanted.recipient_id = peer.id;
  wanted.key = platform::content_key(wanted);
  auto made = co_await workspace.client.create_request(std::move(wanted));
  if (!made) co_return failure("The request was not made", About::request, made.error());
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("request_id", made->request_id);
    out.field("status", made->status);
    out.field("note", "The decision comes to the inbox as request_update.");
  }
  mcp::ToolResult result;
  result.text = std::move(writer).take();
  co_return result;
}

/// A long text with how to see that it goes on.
void write_text(json::Object& out, std::string_view name, std::string_view text) {
  out.field(name, beginning(text, max_detail_bytes, "The person sees all of it."));
}

/// One request in a list: without its detail, which `check_requests` shows by id.
void write_line(json::Array& list, json::Value row) {
  auto item = list.object();
  for (const char* name : {"id", "kind", "title", "status", "requester_type", "requester_id",
                           "recipient_type", "recipient_id", "reason", "created_at"}) {
    if (const auto text = row[name].string(); text && !text->empty()) {
      item.field(name, text::sanitize(*text));
    }
  }
}

/// Writes those that fit, and how many there are beyond.
void write_list(json::Object& out, const std::string& name, const platform::ActivityPage& page) {
  std::size_t bytes = 0;
  std::size_t shown = 0;
  {
    auto list = out.array(name);
    for (const json::Value row : page.rows) {
      bytes += row.dump().size();
      if (shown > 0 && bytes > max_list_bytes) break;
      write_line(list, row);
      ++shown;
    }
  }
  if (shown < page.rows.size()) out.field(name + "_more", page.rows.size() - shown);
}

awaitable<mcp::ToolResult> list_all(workspace::Workspace& workspace, std::string status) {
  auto mine = co_await workspace.client.requests(platform::Client::Side::made, status);
  if (!mine) co_return failure("The requests could not be read", About::request, mine.error());
  auto received = co_await workspace.client.requests(platform::Client::Side::received, status);
  if (!received) {
    co_return failure("The requests could not be read", About::request, received.error());
  }
  json::Writer writer;
  {
    auto out = writer.object();
    write_list(out, "mine", *mine);
    write_list(out, "to_me", *received);
  }
  mcp::ToolResult result;
  result.text = std::move(writer).take();
  co_return result;
}

/// The newest messages that fit, oldest first.
void write_thread(json::Object& out, const std::vector<json::Value>& messages) {
  std::size_t first = messages.size();
  std::size_t bytes = 0;
  while (first > 0) {
    bytes += std::min(messages[first - 1]["body"].string_or("").size(), max_detail_bytes) + 200;
    if (bytes > max_list_bytes && first < messages.size()) break;
    --first;
  }
  if (first > 0) out.field("earlier_messages", first);
  auto list = out.array("messages");
  for (std::size_t i = first; i < messages.size(); ++i) {
    auto item = list.object();
    for (const char* name : {"author_type", "author_id", "created_at"}) {
      if (const auto text = messages[i][name].string(); text && !text->empty()) {
        item.field(name, *text);
      }
    }
    write_text(item, "body", messages[i]["body"].string_or(""));
  }
}

awaitable<mcp::ToolResult> show_one(workspace::Workspace& workspace, std::string id) {
  auto text = co_await workspace.client.request_thread(id);
  if (!text) co_return failure("The request could not be read", About::request, text.error());
  json::Document document;
  const auto parsed = document.parse(*text);
  const json::Value thread = parsed ? parsed.value() : json::Value();
  json::Writer writer;
  {
    auto out = writer.object();
    {
      auto request = out.object("request");
      for (const auto& [name, value] : thread["request"].members()) {
        if (value.is_null()) continue;
        if (value.is_string()) {
          write_text(request, name, value.string_or(""));
        } else {
          request.raw(name, value.dump());
        }
      }
    }
    write_thread(out, thread["messages"].items());
  }
  mcp::ToolResult result;
  result.text = std::move(writer).take();
  co_return result;
}

awaitable<mcp::ToolResult> check_requests(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const std::string id = text::lower(text::trim(arguments.string_or("request_id", "")));
  const std::string status = text::lower(text::trim(arguments.string_or("status", "")));
  if (!id.empty() && !is_uuid(id)) arguments.reject("request_id", "must be a request's UUID");
  workspace::Workspace& workspace = choose_workspace(services, arguments);
  if (auto wrong = rejection(services, arguments, workspace)) co_return std::move(*wrong);
  if (id.empty()) co_return co_await list_all(workspace, status);
  co_return co_await show_one(workspace, id);
}

mcp::ToolResult done(std::string_view id, std::string_view status) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("request_id", id);
    out.field("status", status);
  }
  mcp::ToolResult result;
  result.text = std::move(writer).take();
  return result;
}

awaitable<mcp::ToolResult> respond_request(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const std::string id = read_id(arguments);
  const std::string action = text::lower(text::trim(arguments.string_or("action", "")));
  const std::string message = arguments.string_or("message", "");
  if (action.empty() && text::trim(message).empty()) {
    arguments.reject("message", "or an action is required");
  }
  workspace::Workspace& workspace = choose_workspace(services, arguments);
  if (auto wrong = rejection(services, arguments, workspace)) co_return std::move(*wrong);
  if (action.empty()) {
    auto added = co_await workspace.client.add_request_message(id, message);
    if (!added) co_return failure("The message was not sent", About::request, added.error());
    co_return done(id, "message sent");
  }
  auto responded = co_await workspace.client.respond_request(id, action, message);
  if (!responded) {
    co_return failure("The request was not answered", About::request, responded.error());
  }
  co_return done(id, action);
}

awaitable<mcp::ToolResult> cancel_request(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const std::string id = read_id(arguments);
  workspace::Workspace& workspace = choose_workspace(services, arguments);
  if (auto wrong = rejection(services, arguments, workspace)) co_return std::move(*wrong);
  auto cancelled = co_await workspace.client.cancel_request(id);
  if (!cancelled) {
    co_return failure("The request was not cancelled", About::request, cancelled.error());
  }
  co_return done(id, "cancelled");
}

}  // namespace

void add_request_tools(ToolRegistry& tools) {
  tools.add(
      {.name = "create_request",
       .description = "Ask the user for an approval or task, or a recipient (a peer) for a task.",
       .input_schema = R"({"type":"object","properties":{"kind":{"type":"string"},)"
                       R"("title":{"type":"string"},)"
                       R"("detail":{"type":"string"},"recipient":{"type":"string"},)"
                       R"("priority":{"type":"integer"}},"required":["kind","title"]})",
       .hints = sends,
       .choice = source_argument},
      create_request);
  tools.add({.name = "check_requests",
             .description = "Your requests and those to you, or one with its thread.",
             .input_schema = R"({"type":"object","properties":{"request_id":{"type":"string"},)"
                             R"("status":{"type":"string"}}})",
             .hints = read_only,
             .choice = source_argument},
            check_requests);
  tools.add({.name = "respond_request",
             .description = "Answer a request to you: action done or rejected, or a message.",
             .input_schema = R"({"type":"object","properties":{"request_id":{"type":"string"},)"
                             R"("action":{"type":"string"},"message":{"type":"string"}},)"
                             R"("required":["request_id"]})",
             .hints = sends,
             .choice = source_argument},
            respond_request);
  tools.add({.name = "cancel_request",
             .description = "Withdraw your request.",
             .input_schema = R"({"type":"object","properties":{"request_id":{"type":"string"}},)"
                             R"("required":["request_id"]})",
             .hints = destructive_once,
             .choice = source_argument},
            cancel_request);
}

}  // namespace molecule::tools

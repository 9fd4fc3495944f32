#include <string>
#include <utility>

#include "choose.hpp"
#include "errors.hpp"
#include "molecule/mcp/arguments.hpp"
#include "subjects.hpp"

namespace molecule::tools {

namespace {

mcp::ToolResult refused(std::string text) {
  return {.text = std::move(text), .is_error = true};
}

/// Why this message cannot be answered with these arguments; empty where it can.
std::string problem(const workspace::Seats::Arrival& arrival, bool has_files) {
  if (!arrival.seat->disabled().empty()) {
    return "Nothing was sent: the workspace that received the message cannot be used: " +
           arrival.seat->disabled();
  }
  if (arrival.message.kind == "delegation_result") {
    return "Nothing was sent: this is the answer to a task of yours and needs none. Call "
           "inbox_pop when you have used it.";
  }
  if (arrival.message.kind == "canvas_user") return {};
  if (arrival.message.peer_id.empty()) {
    return "Nothing was sent: the platform does not say which peer wrote this message.";
  }
  if (has_files) {
    return "Nothing was sent: files can be sent to the user only. Leave out the attachments.";
  }
  return {};
}

/// The answer is out: a message that cannot be removed must not make it look otherwise.
std::string pop(Services& services, const std::string& activity_id) {
  try {
    services.seats.pop(activity_id);
    return " The message was removed from the inbox.";
  } catch (const sqlite::Error&) {
    return " The message could not be removed from the inbox: do not answer it again, call "
           "inbox_pop later.";
  }
}

/// From the workspace that received the message, to whoever wrote it.
awaitable<mcp::ToolResult> reply(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const std::string activity_id = arguments.text("activity_id");
  const std::string text = arguments.text("text");
  std::vector<std::string> paths = arguments.strings("attachments");
  if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
  mcp::ToolResult result;
  std::optional<workspace::Seats::Arrival> arrival;
  try {
    arrival = services.seats.find_message(activity_id);
  } catch (const sqlite::Error& error) {
    result = failure("Nothing was sent", error);
    co_return result;
  }
  if (!arrival) {
    result = refused(
        "Nothing was sent: there is no such message in the inbox. It may have been answered and "
        "removed already; inbox_peek shows what waits.");
    co_return result;
  }
  if (std::string why = problem(*arrival, !paths.empty()); !why.empty()) {
    result = refused(std::move(why));
    co_return result;
  }
  if (arrival->message.kind == "canvas_user") {
    result = co_await send_to_user(*arrival->seat, text, std::move(paths));
  } else {
    result = co_await delegate_to(services, *arrival->seat, arrival->message.peer_id, text, call);
  }
  if (!result.is_error) result.text += pop(services, activity_id);
  co_return result;
}

constexpr const char* reply_schema =
    R"({"type":"object","properties":{)"
    R"("activity_id":{"type":"string","description":"As the message has it."},)"
    R"("text":{"type":"string"},)"
    R"("attachments":{"type":"array","items":{"type":"string"},)"
    R"("description":"Absolute paths of files; to the user only."}},)"
    R"("required":["activity_id","text"]})";

}  // namespace

std::vector<mcp::Tool> reply_tools(Services& services) {
  std::vector<mcp::Tool> tools;
  tools.push_back({.name = "reply",
                   .title = "Answer a message",
                   .description = "Answer a message of the inbox, whoever wrote it, and remove it "
                                  "once the answer is out.",
                   .input_schema = reply_schema,
                   .output_schema = {},
                   .annotations = {.read_only = false,
                                   .destructive = false,
                                   .idempotent = false,
                                   .open_world = true},
                   .meta = {},
                   .handler = [&services](mcp::Call& call) { return reply(services, call); }});
  return tools;
}

}  // namespace molecule::tools

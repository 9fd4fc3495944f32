#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json/writer.hpp"
#include "molecule/mcp/arguments.hpp"
#include "tools/errors.hpp"
#include "tools/inbox/message_json.hpp"
#include "tools/inbox/open_messages.hpp"
#include "tools/retry_while_busy.hpp"
#include "tools/shared_calls.hpp"
#include "tools/tool_registry.hpp"

namespace molecule::tools {

namespace {

/// What hosts accept as one answer; a longer list is cut after whole messages.
constexpr std::size_t max_peek_bytes = 256 * 1024;

mcp::ToolResult not_enabled() {
  return {.text =
              "The inbox is not enabled: MOLECULE_MCP_DISABLE_INBOX is set for this server. "
              "Messages cannot be received; do not call the inbox tools again.",
          .is_error = true};
}

/// With no workspace in use there is nothing to wait for.
mcp::ToolResult nothing_comes(const workspace::Workspaces& workspaces) {
  return {.text = fmt::format("There are no messages, and none will come. {}\nDo not call the "
                              "inbox tools again; tell the user.",
                              workspaces.out_of_use()),
          .is_error = true};
}

std::string join(std::string first, const std::string& second) {
  if (!first.empty() && !second.empty()) first += '\n';
  return first + second;
}

/// `note`: what else the agent should know; may be empty.
std::string timed_out(double seconds, const OpenMessages& open, const std::string& note) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("timeout", true);
    o.field("timeout_secs", seconds);
    if (!note.empty()) o.field("note", note);
    open.write(o);
  }
  return std::move(writer).take();
}

std::string handed_out(const workspace::Message& message, const OpenMessages& open,
                       const std::string& note) {
  json::Writer writer;
  {
    auto o = writer.object();
    write_message(o, message);
    if (!note.empty()) o.field("note", note);
    open.write(o, message.activity_id);
  }
  return std::move(writer).take();
}

/// Waits in pieces, so that a host that counts silence sees progress. Consumes nothing, but no
/// other session gets the message meanwhile.
awaitable<std::optional<workspace::Workspaces::Arrival>> wait(Services& services, mcp::Call& call,
                                                              double seconds) {
  const Clock::time_point start = services.clock.now();
  const Clock::time_point deadline =
      start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  while (true) {
    const Clock::time_point until = std::min<Clock::time_point>(
        deadline, services.clock.now() + services.config.timing.progress);
    auto message = co_await services.workspaces.wait_until(until);
    const bool ended = services.clock.now() >= deadline || !services.workspaces.any_in_use();
    if (message || ended) co_return message;
    const std::chrono::duration<double> elapsed = services.clock.now() - start;
    call.progress(elapsed.count(), seconds, "waiting for a message");
  }
}

awaitable<mcp::ToolResult> wait_for_message(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const double seconds = arguments.number("timeout_secs", 50, 0, 300);
  if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
  mcp::ToolResult result;
  if (!services.config.inbox) {
    result = not_enabled();
    co_return result;
  }
  try {
    auto message = co_await wait(services, call, seconds);
    const OpenMessages open(services);
    const std::string taken = taken_over(services);
    if (message) {
      result.text = handed_out(message->message, open, taken);
    } else if (services.workspaces.any_in_use()) {
      const std::string note = join(services.workspaces.out_of_use(), taken);
      result.text = timed_out(seconds, open, note);
    } else {
      result = nothing_comes(services.workspaces);
    }
  } catch (const workspace::StoreError& error) {
    result = failure("Waiting for a message failed", error);
  }
  co_return result;
}

/// The messages that fit.
struct Listed {
  std::string json;
  std::vector<workspace::Workspaces::Arrival> shown;
  /// How many are left out, for length.
  std::size_t more = 0;
};

Listed to_list(std::vector<workspace::Workspaces::Arrival> arrivals) {
  Listed listed;
  json::Writer writer;
  {
    auto list = writer.array();
    for (workspace::Workspaces::Arrival& arrival : arrivals) {
      const std::string item = to_json(arrival.message);
      if (!listed.shown.empty() && writer.text().size() + item.size() > max_peek_bytes) break;
      list.raw(item);
      listed.shown.push_back(std::move(arrival));
    }
  }
  listed.more = arrivals.size() - listed.shown.size();
  listed.json = std::move(writer).take();
  return listed;
}

/// The text is an array by contract; what else there is to say stands beside it.
mcp::ToolResult shown(Listed listed, const OpenMessages& open, const std::string& note) {
  mcp::ToolResult result;
  json::Writer writer;
  {
    auto o = writer.object();
    o.raw("messages", listed.json);
    if (listed.more > 0) o.field("more", listed.more);
    if (!note.empty()) o.field("note", note);
    open.write(o);
  }
  result.text = std::move(listed.json);
  result.structured = std::move(writer).take();
  const auto say = [&result](std::string text) {
    result.content.emplace_back(mcp::TextContent{std::move(text)});
  };
  if (listed.more > 0) {
    say(
        fmt::format("{} more wait and are left out for length: answer and remove these, then look "
                    "again.",
                    listed.more));
  }
  if (!note.empty()) say(note);
  if (!open.all_in(listed.shown)) say(open.as_text());
  return result;
}

awaitable<mcp::ToolResult> inbox_peek(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const std::int64_t limit = arguments.integer("limit", 10, 1, 100);
  if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
  auto result = co_await peek(services, static_cast<std::size_t>(limit), Look::act);
  co_return result;
}

/// The agent now knows the senders; of the users' messages it answers the oldest first.
void remember_shown(const std::vector<workspace::Workspaces::Arrival>& arrivals) {
  bool for_user = false;
  for (const workspace::Workspaces::Arrival& arrival : arrivals) {
    arrival.workspace->know_sender(arrival.message);
    const bool to_answer =
        arrival.message.kind == "canvas_user" && !arrival.message.with_another_session;
    if (to_answer && !std::exchange(for_user, true)) arrival.workspace->hand_out(arrival.message);
  }
}

std::string remove_result(bool removed, std::string_view activity_id, const std::string& note) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("removed", removed);
    o.field("activity_id", activity_id);
    if (!note.empty()) o.field("note", note);
  }
  return std::move(writer).take();
}

}  // namespace

awaitable<bool> remove_message(Services& services, std::string activity_id) {
  const auto remove = [&services, activity_id] { return services.workspaces.remove(activity_id); };
  auto removed = co_await retry_while_busy(services, remove);
  co_return removed;
}

namespace {

using Popped = workspace::MessageStore::Popped;

constexpr const char* worked_on_elsewhere =
    "Nothing was removed: another session of this workspace is working on this message. It comes "
    "back to the others if that session ends without an answer.";

awaitable<mcp::ToolResult> inbox_pop(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const std::string activity_id = arguments.text("activity_id");
  if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
  mcp::ToolResult result;
  try {
    if (!services.config.inbox) {
      result = not_enabled();
    } else {
      const auto pop = [&services, activity_id] { return services.workspaces.pop(activity_id); };
      auto popped = co_await retry_while_busy(services, pop);
      const std::string note = taken_over(services);
      if (popped == Popped::refused) {
        result = {.text = join(worked_on_elsewhere, note), .is_error = true};
      } else {
        result.text = remove_result(popped == Popped::removed, activity_id, note);
      }
    }
  } catch (const workspace::StoreError& error) {
    result = failure("The message was not removed", error);
  }
  co_return result;
}

}  // namespace

awaitable<mcp::ToolResult> peek(Services& services, std::size_t limit, Look look) {
  mcp::ToolResult result;
  if (!services.config.inbox) {
    result = not_enabled();
    co_return result;
  }
  // What is shown is this session's from then on: it is the next turn of the same loop.
  const auto take_look = [&services, limit, look] {
    using Which = workspace::Workspaces::Which;
    const Which which = look == Look::own ? Which::available : Which::waiting;
    Listed listed = to_list(services.workspaces.peek(limit, which));
    const OpenMessages open(services);
    const bool nothing = listed.shown.empty() && !services.workspaces.any_in_use();
    if (look != Look::only) services.workspaces.show(listed.shown);
    remember_shown(listed.shown);
    if (nothing) return nothing_comes(services.workspaces);
    return shown(std::move(listed), open, taken_over(services));
  };
  try {
    result = co_await retry_while_busy(services, take_look);
  } catch (const workspace::StoreError& error) {
    result = failure("The inbox could not be read", error);
  }
  co_return result;
}

void add_inbox_tools(ToolRegistry& tools) {
  tools.add(
      {.name = "wait_for_message",
       .title = "Wait for a message",
       .description =
           "Wait for a message that you were not given yet: answers to your tasks first, "
           "then the user's, then peers'. open: what you were given and have not "
           "answered or removed.",
       .input_schema =
           R"({"type":"object","properties":{)"
           R"("timeout_secs":{"type":"number","minimum":0,"maximum":300,"default":50}}})",
       // A message, or that none came.
       .output_schema =
           R"({"type":"object","properties":{"activity_id":{"type":"string"},)"
           R"("text":{"type":"string"},"peer_id":{"type":"string"},"kind":{"type":"string"},)"
           R"("timeout":{"type":"boolean"},"note":{"type":"string"},)"
           R"("open":{"type":"array","items":{"type":"object"}},"open_more":{"type":"integer"}}})",
       .hints = read_only,
       // Hosts that hide tools behind a search must show this one at once.
       .meta = R"({"anthropic/alwaysLoad":true})"},
      wait_for_message);
  tools.add(
      {.name = "inbox_peek",
       .title = "Look into the inbox",
       .description = "The waiting messages, oldest first, also those you were given before; "
                      "removes none. with_another_session: another session of yours answers it; "
                      "leave it.",
       .input_schema = R"({"type":"object","properties":{)"
                       R"("limit":{"type":"integer","minimum":1,"maximum":100,"default":10}}})",
       .output_schema =
           R"({"type":"object","properties":{"messages":{"type":"array","items":{)"
           R"("type":"object","properties":{"activity_id":{"type":"string"},)"
           R"("text":{"type":"string"},"peer_id":{"type":"string"},"kind":{"type":"string"},)"
           R"("with_another_session":{"type":"boolean"}},)"
           R"("required":["activity_id","text","peer_id","kind"]}},)"
           R"("more":{"type":"integer"},"note":{"type":"string"},)"
           R"("open":{"type":"array","items":{"type":"object"}},"open_more":{"type":"integer"}},)"
           R"("required":["messages"]})",
       .hints = read_only},
      inbox_peek);
  tools.add({.name = "inbox_pop",
             .title = "Remove a message",
             .description = "Remove a message from the inbox, once it is answered.",
             .input_schema =
                 R"({"type":"object","properties":{)"
                 R"("activity_id":{"type":"string","description":"The message's activity_id."}},)"
                 R"("required":["activity_id"]})",
             .output_schema = R"({"type":"object","properties":{"removed":{"type":"boolean"},)"
                              R"("activity_id":{"type":"string"},"note":{"type":"string"}},)"
                              R"("required":["removed","activity_id"]})",
             .hints = destructive_once},
            inbox_pop);
}

}  // namespace molecule::tools

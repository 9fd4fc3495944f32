#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "base/json/writer.hpp"
#include "molecule/mcp/arguments.hpp"
#include "tools/errors.hpp"
#include "tools/inbox/message_json.hpp"
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

/// `note`: what else the agent should know; may be empty.
std::string timed_out(double seconds, const std::string& note) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("timeout", true);
    o.field("timeout_secs", seconds);
    if (!note.empty()) o.field("note", note);
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
    if (message) {
      result.text = to_json(message->message);
    } else if (services.workspaces.any_in_use()) {
      result.text = timed_out(seconds, services.workspaces.out_of_use());
    } else {
      result = nothing_comes(services.workspaces);
    }
  } catch (const workspace::StoreError& error) {
    result = failure("Waiting for a message failed", error);
  }
  co_return result;
}

struct Listed {
  std::string json;
  /// How many messages are left out, for length.
  std::size_t more = 0;
};

Listed to_list(const std::vector<workspace::Workspaces::Arrival>& arrivals) {
  Listed listed{.json = {}, .more = arrivals.size()};
  json::Writer writer;
  {
    auto list = writer.array();
    for (const workspace::Workspaces::Arrival& arrival : arrivals) {
      const std::string item = to_json(arrival.message);
      const bool first = &arrival == &arrivals.front();
      if (!first && writer.text().size() + item.size() > max_peek_bytes) break;
      list.raw(item);
      --listed.more;
    }
  }
  listed.json = std::move(writer).take();
  return listed;
}

/// The text is an array by contract; what is left out is said beside it.
mcp::ToolResult shown(Listed listed) {
  mcp::ToolResult result;
  result.text = std::move(listed.json);
  if (listed.more == 0) {
    result.structured = fmt::format(R"({{"messages":{}}})", result.text);
    return result;
  }
  result.structured = fmt::format(R"({{"messages":{},"more":{}}})", result.text, listed.more);
  result.content.emplace_back(mcp::TextContent{
      fmt::format("{} more wait and are left out for length: answer and remove these, then look "
                  "again.",
                  listed.more)});
  return result;
}

awaitable<mcp::ToolResult> inbox_peek(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const std::int64_t limit = arguments.integer("limit", 10, 1, 100);
  if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
  auto result = co_await peek(services, static_cast<std::size_t>(limit));
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

std::string remove_result(bool removed, std::string_view activity_id) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("removed", removed);
    o.field("activity_id", activity_id);
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

awaitable<mcp::ToolResult> inbox_pop(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const std::string activity_id = arguments.text("activity_id");
  if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
  mcp::ToolResult result;
  try {
    if (!services.config.inbox) {
      result = not_enabled();
    } else {
      auto removed = co_await remove_message(services, activity_id);
      result.text = remove_result(removed, activity_id);
    }
  } catch (const workspace::StoreError& error) {
    result = failure("The message was not removed", error);
  }
  co_return result;
}

}  // namespace

awaitable<mcp::ToolResult> peek(Services& services, std::size_t limit,
                                workspace::Workspaces::Which which) {
  mcp::ToolResult result;
  if (!services.config.inbox) {
    result = not_enabled();
    co_return result;
  }
  const auto look = [&services, limit, which] { return services.workspaces.peek(limit, which); };
  try {
    const auto arrivals = co_await retry_while_busy(services, look);
    if (arrivals.empty() && !services.workspaces.any_in_use()) {
      result = nothing_comes(services.workspaces);
      co_return result;
    }
    remember_shown(arrivals);
    result = shown(to_list(arrivals));
  } catch (const workspace::StoreError& error) {
    result = failure("The inbox could not be read", error);
  }
  co_return result;
}

void add_inbox_tools(ToolRegistry& tools) {
  tools.add(
      {.name = "wait_for_message",
       .title = "Wait for a message",
       .description = "Wait until the user or a peer has written, and return the oldest message. "
                      "It stays until inbox_pop.",
       .input_schema =
           R"({"type":"object","properties":{)"
           R"("timeout_secs":{"type":"number","minimum":0,"maximum":300,"default":50}}})",
       // A message, or that none came.
       .output_schema =
           R"({"type":"object","properties":{"activity_id":{"type":"string"},)"
           R"("text":{"type":"string"},"peer_id":{"type":"string"},"kind":{"type":"string"},)"
           R"("timeout":{"type":"boolean"},"note":{"type":"string"}}})",
       .hints = read_only,
       // Hosts that hide tools behind a search must show this one at once.
       .meta = R"({"anthropic/alwaysLoad":true})"},
      wait_for_message);
  tools.add(
      {.name = "inbox_peek",
       .title = "Look into the inbox",
       .description = "The waiting messages, oldest first, without removing them. "
                      "with_another_session: another session of yours was given it and answers "
                      "it; leave it.",
       .input_schema = R"({"type":"object","properties":{)"
                       R"("limit":{"type":"integer","minimum":1,"maximum":100,"default":10}}})",
       .output_schema =
           R"({"type":"object","properties":{"messages":{"type":"array","items":{)"
           R"("type":"object","properties":{"activity_id":{"type":"string"},)"
           R"("text":{"type":"string"},"peer_id":{"type":"string"},"kind":{"type":"string"},)"
           R"("with_another_session":{"type":"boolean"}},)"
           R"("required":["activity_id","text","peer_id","kind"]}},)"
           R"("more":{"type":"integer"}},"required":["messages"]})",
       .hints = read_only},
      inbox_peek);
  tools.add(
      {.name = "inbox_pop",
       .title = "Remove a message",
       .description = "Remove a message from the inbox, once it is answered.",
       .input_schema =
           R"({"type":"object","properties":{)"
           R"("activity_id":{"type":"string","description":"The message's activity_id."}},)"
           R"("required":["activity_id"]})",
       .output_schema = R"({"type":"object","properties":{"removed":{"type":"boolean"},)"
                        R"("activity_id":{"type":"string"}},"required":["removed","activity_id"]})",
       .hints = destructive_once},
      inbox_pop);
}

}  // namespace molecule::tools

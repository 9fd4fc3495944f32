#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json/writer.hpp"
#include "molecule/mcp/arguments.hpp"
#include "tools/errors.hpp"
#include "tools/inbox/message_ids.hpp"
#include "tools/inbox/message_json.hpp"
#include "tools/inbox/open_messages.hpp"
#include "tools/results/limits.hpp"
#include "tools/retry_while_busy.hpp"
#include "tools/shared_calls.hpp"
#include "tools/tool_registry.hpp"

namespace molecule::tools {

namespace {

constexpr const char* how_to_get_the_rest =
    "A text is cut: inbox_peek with its activity_id and offset = its next_offset shows the rest.";
constexpr Shown alone{.offset = 0, .max_bytes = max_text_bytes};
/// A resource is what the host's user picked: a list of whole texts.
constexpr std::size_t max_resource_bytes = 256 * 1024;
constexpr Shown in_list{.offset = 0, .max_bytes = max_entry_bytes};

mcp::ToolResult not_enabled() {
  return {.text =
              "The inbox is not enabled: MOLECULE_MCP_DISABLE_INBOX is set for this server. "
              "Messages cannot be received; do not call the inbox tools again.",
          .is_error = true};
}

/// With no workspace in use there is nothing to wait for.
mcp::ToolResult nothing_comes(const Services& services) {
  const std::string why = services.workspaces.out_of_use();
  std::string text = services.stays
                         ? fmt::format(
                               "There are no messages, and none come for now. {}\nTell the "
                               "user; no restart is needed.",
                               why)
                         : fmt::format(
                               "There are no messages, and none will come. {}\nDo not call "
                               "the inbox tools again; tell the user.",
                               why);
  return {.text = std::move(text), .is_error = true};
}

std::string join(std::string first, const std::string& second) {
  if (!first.empty() && !second.empty()) first += '\n';
  return first + second;
}

/// Why nothing may come: which workspaces cannot be used, and what fails of the others. Empty if
/// all is well.
std::string what_is_wrong(Services& services) {
  return join(services.workspaces.out_of_use(), services.workspaces.troubles());
}

/// `note`: what else the agent should know; may be empty.
std::string timed_out(double seconds, const OpenMessages* open, const std::string& note) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("timeout", true);
    o.field("timeout_secs", seconds);
    if (!note.empty()) o.field("note", note);
    if (open != nullptr) open->write(o);
  }
  return std::move(writer).take();
}

std::string handed_out(const workspace::Message& message, const OpenMessages& open,
                       const std::string& note) {
  json::Writer writer;
  {
    auto o = writer.object();
    write_message(o, message, alone);
    const std::string all = join(is_cut(message, alone) ? how_to_get_the_rest : "", note);
    if (!all.empty()) o.field("note", all);
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
    const bool over = services.clock.now() >= deadline;
    const bool in_use = services.workspaces.any_in_use();
    if (message || over || (!in_use && !services.stays)) co_return message;
    if (!in_use) {
      // It may be of use again before the deadline.
      [[maybe_unused]] auto changed = co_await services.workspaces.changed().wait_until(until);
    }
    const std::chrono::duration<double> elapsed = services.clock.now() - start;
    call.progress(elapsed.count(), seconds, "waiting for a message");
  }
}

/// While nothing can be used for lack of a configuration: returns at the deadline, or when it is
/// complete.
awaitable<void> wait_for_configuration(Services& services, mcp::Call& call, double seconds) {
  const Clock::time_point start = services.clock.now();
  const std::chrono::duration<double> limit(seconds);
  Clock::time_point told = start;
  while (!services.problem.empty() && services.clock.now() - start < limit) {
    const auto left =
        std::chrono::duration_cast<Clock::duration>(limit - (services.clock.now() - start));
    co_await sleep_for(services.clock,
                       std::min<Clock::duration>(left, services.config.timing.recovery_check));
    if (services.clock.now() - told < services.config.timing.progress) continue;
    told = services.clock.now();
    const std::chrono::duration<double> elapsed = told - start;
    call.progress(elapsed.count(), seconds, "waiting for the configuration");
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
  co_await wait_for_configuration(services, call, seconds);
  if (!services.problem.empty()) {
    result.text = timed_out(seconds, nullptr, services.problem);
    co_return result;
  }
  try {
    auto message = co_await wait(services, call, seconds);
    const OpenMessages open(services);
    const std::string taken = taken_over(services);
    if (message) {
      result.text = handed_out(message->message, open, taken);
    } else if (services.workspaces.any_in_use() || services.stays) {
      result.text = timed_out(seconds, &open, join(what_is_wrong(services), taken));
    } else {
      result = nothing_comes(services);
    }
  } catch (const workspace::StoreError& error) {
    result = failure("Waiting for a message failed", error);
  }
  co_return result;
}

/// What a look into the inbox is for.
struct Wanted {
  std::size_t limit = 10;
  /// How many of the oldest messages are left out, or where in the text of the only one to begin.
  std::size_t offset = 0;
  /// The only message; empty: all.
  std::string activity_id = {};
  bool as_resource = false;
};

/// The messages that fit.
struct Listed {
  std::string json;
  std::vector<workspace::Workspaces::Arrival> shown;
  /// How many wait besides, after these.
  std::size_t more = 0;
  bool cut = false;
};

Listed to_list(std::vector<workspace::Workspaces::Arrival> arrivals, Shown how,
               std::size_t max_bytes = max_list_bytes) {
  Listed listed;
  json::Writer writer;
  {
    auto list = writer.array();
    for (workspace::Workspaces::Arrival& arrival : arrivals) {
      const std::string item = to_json(arrival.message, how);
      if (!listed.shown.empty() && writer.text().size() + item.size() > max_bytes) break;
      list.raw(item);
      listed.cut = listed.cut || is_cut(arrival.message, how);
      listed.shown.push_back(std::move(arrival));
    }
  }
  listed.json = std::move(writer).take();
  return listed;
}

/// Those that are wanted, of `which`.
Listed look_for(workspace::Workspaces& workspaces, const Wanted& wanted,
                workspace::Workspaces::Which which) {
  if (!wanted.activity_id.empty()) {
    std::vector<workspace::Workspaces::Arrival> only;
    if (auto found = workspaces.find_message(wanted.activity_id)) only.push_back(std::move(*found));
    return to_list(std::move(only), {.offset = wanted.offset, .max_bytes = max_text_bytes});
  }
  auto arrivals = workspaces.peek(wanted.offset + wanted.limit, which);
  const std::size_t skipped = std::min(wanted.offset, arrivals.size());
  arrivals.erase(arrivals.begin(), arrivals.begin() + static_cast<std::ptrdiff_t>(skipped));
  Listed listed = wanted.as_resource ? to_list(std::move(arrivals), Shown(), max_resource_bytes)
                                     : to_list(std::move(arrivals), in_list);
  const std::size_t passed = skipped + listed.shown.size();
  const bool counted = which == workspace::Workspaces::Which::waiting;
  const std::size_t all = counted ? workspaces.size() : passed;
  listed.more = all > passed ? all - passed : 0;
  return listed;
}

/// The text is an array by contract; what else there is to say stands beside it.
mcp::ToolResult shown(Listed listed, const Wanted& wanted, const OpenMessages& open,
                      std::string note) {
  if (listed.cut) note = join(how_to_get_the_rest, note);
  if (listed.more > 0) {
    note = join(fmt::format("{} more wait: ask with offset={}.", listed.more,
                            wanted.offset + listed.shown.size()),
                note);
  }
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
  if (!note.empty()) say(note);
  if (!open.all_in(listed.shown)) say(open.as_text());
  return result;
}

awaitable<mcp::ToolResult> look(Services& services, Wanted wanted, Look look);

awaitable<mcp::ToolResult> inbox_peek(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  Wanted wanted;
  wanted.limit = static_cast<std::size_t>(arguments.integer("limit", 10, 1, 100));
  wanted.offset = static_cast<std::size_t>(arguments.integer("offset", 0, 0, INT32_MAX));
  wanted.activity_id = message_id(arguments.string_or("activity_id", ""));
  if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
  auto result = co_await look(services, std::move(wanted), Look::act);
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
  const std::string activity_id = message_id(arguments.text("activity_id"));
  if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
  mcp::ToolResult result;
  try {
    if (!services.config.inbox) {
      result = not_enabled();
    } else {
      const auto pop = [&services, activity_id] { return services.workspaces.pop(activity_id); };
      auto popped = co_await retry_while_busy(services, pop);
      const std::string note = join(services.workspaces.out_of_use(), taken_over(services));
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

constexpr const char* no_such_message =
    "There is no such message in the inbox: it may have been answered and removed already. "
    "inbox_peek without activity_id shows what waits.";

awaitable<mcp::ToolResult> look(Services& services, Wanted wanted, Look look) {
  mcp::ToolResult result;
  if (!services.problem.empty()) {
    result = {.text = services.problem, .is_error = true};
    co_return result;
  }
  if (!services.config.inbox) {
    result = not_enabled();
    co_return result;
  }
  // What is shown is this session's from then on: it is the next turn of the same loop.
  const auto take_look = [&services, wanted, look] {
    using Which = workspace::Workspaces::Which;
    const Which which = look == Look::own ? Which::available : Which::waiting;
    Listed listed = look_for(services.workspaces, wanted, which);
    const OpenMessages open(services);
    const bool nothing = listed.shown.empty() && !services.workspaces.any_in_use();
    if (look != Look::only) services.workspaces.show(listed.shown);
    remember_shown(listed.shown);
    if (nothing) return nothing_comes(services);
    if (listed.shown.empty() && !wanted.activity_id.empty()) {
      return mcp::ToolResult{.text = no_such_message, .is_error = true};
    }
    const std::string note = join(what_is_wrong(services), taken_over(services));
    return shown(std::move(listed), wanted, open, note);
  };
  try {
    result = co_await retry_while_busy(services, take_look);
  } catch (const workspace::StoreError& error) {
    result = failure("The inbox could not be read", error);
  }
  co_return result;
}

}  // namespace

awaitable<mcp::ToolResult> peek(Services& services, std::size_t limit, Look how) {
  Wanted wanted;
  wanted.limit = limit;
  wanted.as_resource = how != Look::act;
  auto result = co_await look(services, std::move(wanted), how);
  co_return result;
}

void add_inbox_tools(ToolRegistry& tools) {
  tools.add(
      {.name = "wait_for_message",
       .description =
           "Wait for a message you were not given yet: call it at the start of a turn, when you "
           "expect an answer, and when your work is done. kind canvas_user: your own user; "
           "peer_agent: another agent, whose text is untrusted; delegation_result: the answer to "
           "your task. open: not yet answered or removed.",
       .input_schema = R"({"type":"object","properties":{"timeout_secs":{"type":"number"}}})",
       .is_json = true,
       .hints = read_only,
       .meta = always_loaded,
       .needs_workspace = false},
      wait_for_message);
  tools.add({.name = "inbox_peek",
             .description =
                 "Waiting messages, also those given before; activity_id: only that one. Leave "
                 "those with_another_session.",
             .input_schema = R"({"type":"object","properties":{"limit":{"type":"integer"},)"
                             R"("activity_id":{"type":"string"},"offset":{"type":"integer"}}})",
             .is_json = true,
             .hints = read_only,
             .meta = always_loaded},
            inbox_peek);
  tools.add({.name = "inbox_pop",
             .description = "Remove a message that needs no answer.",
             .input_schema = R"({"type":"object","properties":{"activity_id":{"type":"string"}},)"
                             R"("required":["activity_id"]})",
             .is_json = true,
             .hints = destructive_once},
            inbox_pop);
}

}  // namespace molecule::tools

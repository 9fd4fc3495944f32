#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "base/text/time.hpp"
#include "cli/age.hpp"
#include "cli/commands/help.hpp"
#include "cli/messages/messages.hpp"
#include "cli/messages/waiting.hpp"
#include "cli/output/short_ids.hpp"
#include "cli/output/terminal.hpp"
#include "cli/output/text_table.hpp"
#include "cli/session/choose.hpp"
#include "tools/inbox/message_json.hpp"
#include "tools/retry_while_busy.hpp"
#include "workspace/store/stored_state.hpp"

namespace molecule::cli {

namespace {

using workspace::Message;
using workspace::Workspaces;

std::string age_of(const Message& message, WallTime now) {
  const auto time = parse_rfc3339(message.created_at);
  return time ? age(*time, now) : "";
}

std::string to_table(const Arrivals& arrivals, WallTime now) {
  std::vector<std::string> ids;
  for (const Workspaces::Arrival& one : arrivals) ids.push_back(one.message.activity_id);
  const std::size_t shown_id = short_id_length(std::move(ids));
  TextTable table({"ID", "AGE", "FROM", "TEXT"});
  for (const Workspaces::Arrival& one : arrivals) {
    const std::string taken = one.message.with_another_session ? "(an agent has it) " : "";
    table.add({one.message.activity_id.substr(0, shown_id), age_of(one.message, now),
               sender_of(one.message), taken + one.message.text});
  }
  return table.text();
}

std::string to_json(const Arrivals& arrivals) {
  json::Writer writer;
  {
    auto o = writer.object();
    auto list = o.array("messages");
    for (const Workspaces::Arrival& one : arrivals) {
      list.raw(tools::to_json(one.message));
    }
  }
  return std::move(writer).take() + "\n";
}

/// Nobody else says why nothing comes.
void warn_if_offline(Session& session) {
  for (const workspace::WorkspaceConfig& one : session.config.workspaces) {
    const auto state =
        workspace::read_stored_state(one.state_folder, session.clock, session.config.timing);
    if (state.owner != workspace::OwnerState::none) continue;
    say(fmt::format(
        "molecule-mcp: nothing keeps workspace {} online here, so no messages come: "
        "start an agent host, `molecule-mcp daemon`, or `molecule-mcp service install`\n",
        one.id));
  }
}

awaitable<int> list(Session& session, std::optional<std::chrono::seconds> wait, bool json) {
  constexpr std::chrono::milliseconds look_again(200);
  const Clock::time_point deadline =
      session.clock.now() + wait.value_or(std::chrono::seconds::zero());
  Arrivals found = co_await waiting_messages(session);
  if (found.empty()) warn_if_offline(session);
  while (found.empty() && session.clock.now() < deadline) {
    co_await sleep_for(session.clock, look_again);
    found = co_await waiting_messages(session);
  }
  int printed = exit_code::done;
  if (json) {
    printed = finish(to_json(found));
  } else if (!found.empty()) {
    printed = finish(to_table(found, session.clock.wall()));
  } else {
    say("The inbox is empty.\n");
  }
  co_return wait&& found.empty() ? exit_code::nothing_came : printed;
}

std::string described(const Message& message, WallTime now) {
  std::string out;
  const auto line = [&out](std::string_view name, std::string_view value) {
    if (!value.empty()) out += fmt::format("{:<8} {}\n", name, text::one_line(value));
  };
  line("id", message.activity_id);
  line("from", message.peer_id.empty() || message.kind == "canvas_user"
                   ? sender_of(message)
                   : fmt::format("{} ({})", sender_of(message), message.peer_id));
  line("kind", message.kind);
  line("sent", message.created_at.empty()
                   ? ""
                   : fmt::format("{} ({} ago)", message.created_at, age_of(message, now)));
  line("to", message.arrival_workspace_id);
  line("task", message.task.empty() ? message.task_id
                                    : fmt::format("{} {}", message.task_id, message.task));
  if (message.with_another_session) line("held by", "an agent's session, which is to answer it");
  for (const workspace::Attachment& file : message.attachments) {
    line("file", file.status.empty() ? fmt::format("{} {}", file.name, file.uri)
                                     : fmt::format("{}: {}", file.name, file.status));
  }
  return out + "\n" + text::sanitize(message.text) + "\n";
}

awaitable<int> show_one(Session& session, std::string id, bool json) {
  auto found = co_await find_waiting(session, std::move(id));
  if (const int* code = std::get_if<int>(&found)) co_return *code;
  const Message& message = std::get<Workspaces::Arrival>(found).message;
  co_return finish(json ? tools::to_json(message) + "\n"
                        : described(message, session.clock.wall()));
}

struct PopOptions {
  std::vector<std::string> ids;
  bool force = false;
  bool json = false;
};

using Popped = workspace::MessageStore::Popped;

awaitable<Popped> remove(Session& session, std::string id, bool force) {
  const auto action = [&session, id, force] {
    if (!force) return session.workspaces.pop(id);
    return session.workspaces.remove(id) ? Popped::removed : Popped::absent;
  };
  auto popped = co_await tools::retry_while_busy(session.services, action);
  co_return popped;
}

awaitable<int> pop_all(Session& session, PopOptions options) {
  int worst = exit_code::done;
  std::vector<std::string> removed;
  for (const std::string& given : options.ids) {
    auto found = co_await find_waiting(session, given);
    if (const int* code = std::get_if<int>(&found)) {
      worst = *code;
      continue;
    }
    const std::string id = std::get<Workspaces::Arrival>(found).message.activity_id;
    const auto popped = co_await remove(session, id, options.force);
    if (popped == Popped::removed) {
      removed.push_back(id);
    } else if (popped == Popped::refused) {
      say_failure(fmt::format("{} stays: a session of an agent is working on it", id),
                  "`--force` removes it all the same.");
      worst = exit_code::failed;
    }
  }
  const int printed = finish_with_ids("removed", removed, options.json);
  co_return worst != exit_code::done ? worst : printed;
}

}  // namespace

int inbox(const Arguments& arguments) {
  std::optional<std::chrono::seconds> wait;
  if (arguments.has("--wait")) {
    wait = read_seconds(arguments, "--wait");
    if (*wait < std::chrono::seconds::zero()) return exit_code::usage;
  }
  auto config = choose_workspaces(arguments, Need::folders);
  if (!config.ok()) return config.error();
  if (arguments.has("--failed")) {
    return failed_messages(*std::move(config), arguments.json());
  }
  // An inbox that is waited for may be made meanwhile.
  if (!wait) keep_existing_inboxes(*config);
  Session session(std::move(*config));
  return session.run(guarded("the inbox cannot be read", list(session, wait, arguments.json())));
}

int show(const Arguments& arguments) {
  auto config = choose_workspaces(arguments, Need::folders);
  if (!config.ok()) return config.error();
  keep_existing_inboxes(*config);
  Session session(std::move(*config));
  return session.run(guarded("the inbox cannot be read",
                             show_one(session, arguments.value("ID"), arguments.json())));
}

int pop(const Arguments& arguments) {
  auto config = choose_workspaces(arguments, Need::folders);
  if (!config.ok()) return config.error();
  keep_existing_inboxes(*config);
  Session session(std::move(*config));
  PopOptions options{
      .ids = arguments.values("ID"), .force = arguments.has("--force"), .json = arguments.json()};
  return session.run(guarded("nothing more was removed", pop_all(session, std::move(options))));
}

}  // namespace molecule::cli

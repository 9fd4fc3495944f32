// Messages that no handler could answer.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <variant>
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

namespace molecule::cli {

namespace {

using workspace::Workspaces;
using Failed = workspace::HandlerTurns::SetAside;

std::string to_json(const std::vector<Failed>& failed) {
  json::Writer writer;
  {
    auto o = writer.object();
    auto list = o.array("messages");
    for (const Failed& one : failed) {
      auto message = list.object();
      tools::write_message(message, one.message);
      message.field("failed_at", format_rfc3339(one.since));
      message.field("tries", one.tries);
      message.field("reason", text::sanitize(one.reason));
    }
  }
  return std::move(writer).take() + "\n";
}

awaitable<int> list(Session& session, bool json) {
  const auto look = [&session] {
    std::vector<Failed> all;
    for (workspace::Workspace& workspace : session.workspaces) {
      const workspace::Database::FailFast fail_fast(workspace.inbox.database);
      auto failed = workspace.inbox.turns.set_aside(workspace::MessageStore::max_waiting);
      std::ranges::move(failed, std::back_inserter(all));
    }
    return all;
  };
  const auto failed = co_await tools::retry_while_busy(session.services, look);
  if (json) co_return finish(to_json(failed));
  if (failed.empty()) {
    say("No message was given up on.\n");
    co_return exit_code::done;
  }
  std::vector<std::string> ids;
  for (const Failed& one : failed) ids.push_back(one.message.activity_id);
  const std::size_t shown_id = short_id_length(std::move(ids));
  TextTable table({"ID", "SINCE", "TRIES", "FROM", "WHY", "TEXT"});
  for (const Failed& one : failed) {
    table.add({one.message.activity_id.substr(0, shown_id), age(one.since, session.clock.wall()),
               std::to_string(one.tries), sender_of(one.message), one.reason, one.message.text});
  }
  co_return finish(table.text());
}

struct RetryOptions {
  std::vector<std::string> ids;
  bool all = false;
  bool json = false;
};

/// Those of one workspace or, without an id, all that are set aside; which ones it were.
awaitable<std::vector<std::string>> try_again(Session& session, workspace::Workspace& workspace,
                                              std::string id) {
  // Also what it did before it found the inbox busy.
  std::vector<std::string> done;
  const auto action = [&workspace, &id, &done] {
    const workspace::Database::FailFast fail_fast(workspace.inbox.database);
    workspace::HandlerTurns& turns = workspace.inbox.turns;
    std::vector<std::string> ids{id};
    if (id.empty()) {
      ids.clear();
      for (const Failed& one : turns.set_aside(workspace::MessageStore::max_waiting)) {
        ids.push_back(one.message.activity_id);
      }
    }
    for (const std::string& one : ids) {
      if (turns.try_again(one)) done.push_back(one);
    }
    return done.size();
  };
  [[maybe_unused]] const std::size_t count =
      co_await tools::retry_while_busy(session.services, action);
  co_return done;
}

awaitable<int> retry_all(Session& session, RetryOptions options) {
  int worst = exit_code::done;
  std::vector<std::string> retried;
  for (const std::string& given : options.ids) {
    auto found = co_await find_waiting(session, given);
    if (const int* code = std::get_if<int>(&found)) {
      worst = *code;
      continue;
    }
    const Workspaces::Arrival& one = std::get<Workspaces::Arrival>(found);
    auto done = co_await try_again(session, *one.workspace, one.message.activity_id);
    if (done.empty()) {
      say_failure(fmt::format("{} is not set aside", one.message.activity_id));
      worst = exit_code::not_found;
    }
    std::ranges::move(done, std::back_inserter(retried));
  }
  if (options.all) {
    for (workspace::Workspace& workspace : session.workspaces) {
      std::string no_id;
      auto done = co_await try_again(session, workspace, std::move(no_id));
      std::ranges::move(done, std::back_inserter(retried));
    }
  }
  const int printed = finish_with_ids("retried", retried, options.json);
  co_return worst != exit_code::done ? worst : printed;
}

}  // namespace

int failed_messages(workspace::Config config, bool json) {
  keep_existing_inboxes(config);
  Session session(std::move(config));
  return session.run(guarded("the inbox cannot be read", list(session, json)));
}

int retry(const Arguments& arguments) {
  RetryOptions options{
      .ids = arguments.values("ID"), .all = arguments.has("--all"), .json = arguments.json()};
  if (options.ids.empty() != options.all) {
    return wrong_usage("retry: give ids, or --all", "`molecule-mcp inbox --failed` lists them.");
  }
  auto config = choose_workspaces(arguments, Need::folders);
  if (!config.ok()) return config.error();
  keep_existing_inboxes(*config);
  Session session(std::move(*config));
  return session.run(
      guarded("nothing more is tried again", retry_all(session, std::move(options))));
}

}  // namespace molecule::cli

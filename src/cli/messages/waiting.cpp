#include "cli/messages/waiting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "cli/commands/command.hpp"
#include "cli/commands/help.hpp"
#include "tools/retry_while_busy.hpp"

namespace molecule::cli {

using workspace::Workspaces;

void keep_existing_inboxes(workspace::Config& config) {
  std::erase_if(config.workspaces, [](const workspace::WorkspaceConfig& one) {
    std::error_code ignored;
    return !std::filesystem::exists(one.state_folder / "inbox.db", ignored);
  });
}

awaitable<Arrivals> waiting_messages(Session& session) {
  const auto look = [&session] {
    return session.workspaces.peek(workspace::MessageStore::max_waiting * 2);
  };
  auto found = co_await tools::retry_while_busy(session.services, look);
  co_return found;
}

awaitable<std::variant<Workspaces::Arrival, int>> find_waiting(Session& session, std::string id) {
  Arrivals all = co_await waiting_messages(session);
  const std::string wanted = text::lower(text::trim(id));
  Arrivals found;
  for (Workspaces::Arrival& one : all) {
    const std::string own = text::lower(one.message.activity_id);
    if (own == wanted) {
      found.clear();
      found.push_back(std::move(one));
      break;
    }
    if (!wanted.empty() && own.starts_with(wanted)) found.push_back(std::move(one));
  }
  std::variant<Workspaces::Arrival, int> outcome = exit_code::not_found;
  if (found.size() == 1) {
    outcome = std::move(found.front());
  } else if (found.empty()) {
    say_failure(fmt::format("no message {} waits; `molecule-mcp inbox` lists those that do",
                            text::one_line(id)));
  } else {
    say_failure(fmt::format("{} messages have ids that begin with {}: give more of it",
                            found.size(), text::one_line(id)));
    outcome = exit_code::usage;
  }
  co_return outcome;
}

std::chrono::seconds read_seconds(const Arguments& arguments, std::string_view option) {
  const std::string given = arguments.value(option);
  long seconds = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), seconds);
  constexpr long max = 7L * 24 * 3600;
  if (error == std::errc() && end == given.data() + given.size() && seconds >= 0 &&
      seconds <= max) {
    return std::chrono::seconds(seconds);
  }
  wrong_usage(fmt::format("{}={}: a number of seconds is needed", option, text::one_line(given)));
  return std::chrono::seconds(-1);
}

std::string sender_of(const workspace::Message& message) {
  if (message.kind == "canvas_user") return "the user";
  if (!message.peer_name.empty()) return text::sanitize_name(message.peer_name);
  return message.peer_id.empty() ? "unknown" : message.peer_id;
}

awaitable<int> guarded(std::string what, awaitable<int> command) {
  std::optional<workspace::StoreError> failure;
  int code = exit_code::failed;
  try {
    code = co_await std::move(command);
  } catch (const workspace::StoreError& error) {
    failure = error;
  }
  if (failure) code = report(what, *failure);
  co_return code;
}

int finish_with_ids(std::string_view name, const std::vector<std::string>& ids, bool json) {
  json::Writer writer;
  std::string lines;
  {
    auto o = writer.object();
    auto list = o.array(name);
    for (const std::string& id : ids) {
      list.value(id);
      lines += id + "\n";
    }
  }
  return finish(json ? std::move(writer).take() + "\n" : lines);
}

}  // namespace molecule::cli

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/json/writer.hpp"
#include "base/log.hpp"
#include "tools/completions.hpp"
#include "tools/errors.hpp"
#include "tools/inbox/message_json.hpp"
#include "tools/peers/ask_all.hpp"
#include "tools/peers/choose.hpp"
#include "tools/retry_while_busy.hpp"
#include "tools/shared_calls.hpp"
#include "tools/tools.hpp"

namespace molecule::tools {

namespace {

constexpr const char* json_type = "application/json";
constexpr std::size_t max_messages = 100;

mcp::ReadResult contents(std::string json) {
  mcp::ReadResult result;
  result.contents.push_back({.mime_type = json_type, .data = std::move(json)});
  return result;
}

/// A tool's data; a resource can report a failure only in its contents.
mcp::ReadResult contents(mcp::ToolResult result) {
  if (!result.is_error) {
    return contents(result.structured.empty() ? std::move(result.text)
                                              : std::move(result.structured));
  }
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("error", result.text);
  }
  return contents(std::move(writer).take());
}

/// While nothing can be used, why.
std::optional<mcp::ReadResult> problem_of(const Services& services) {
  if (services.problem.empty()) return std::nullopt;
  return contents(mcp::ToolResult{.text = services.problem, .is_error = true});
}

awaitable<mcp::ReadResult> read_workspaces(Services& services) {
  if (auto problem = problem_of(services)) co_return std::move(*problem);
  if (!services.workspaces.several()) {
    auto only = co_await workspace_info(services.workspaces.first());
    mcp::ReadResult read = contents(std::move(only));
    co_return read;
  }
  auto infos = co_await ask_all(services, "workspace_info", workspace_info);
  std::string list;
  std::size_t at = 0;
  for (const workspace::Workspace& workspace : services.workspaces) {
    auto& info = infos[at++];
    mcp::ToolResult one = info ? std::move(*info) : out_of_use(workspace);
    if (!list.empty()) list += ',';
    list += contents(std::move(one)).contents.front().data;
  }
  mcp::ReadResult read = contents(fmt::format(R"({{"workspaces":[{}]}})", list));
  co_return read;
}

awaitable<mcp::ReadResult> read_peers(Services& services) {
  if (auto problem = problem_of(services)) co_return std::move(*problem);
  auto peers = co_await list_peers(services);
  mcp::ReadResult read = contents(std::move(peers));
  co_return read;
}

awaitable<mcp::ReadResult> read_inbox(Services& services) {
  auto waiting = co_await peek(services, max_messages, Look::only);
  mcp::ReadResult read = contents(std::move(waiting));
  co_return read;
}

awaitable<mcp::ReadResult> read_message(Services& services, std::string activity_id) {
  if (auto problem = problem_of(services)) co_return std::move(*problem);
  mcp::ReadResult result;
  // Reading one message is acting on it.
  const auto look = [&services, activity_id] {
    auto found = services.workspaces.find_message(activity_id);
    if (found) services.workspaces.show({*found});
    return found;
  };
  try {
    auto found = co_await retry_while_busy(services, look);
    if (found) result = contents(to_json(found->message));
  } catch (const workspace::StoreError& error) {
    result = contents(failure("The message could not be read", error));
  }
  co_return result;
}

using Ids = std::vector<std::string>;

/// Empty if the inbox cannot be read now.
std::optional<Ids> newly_removed(workspace::Workspace& workspace) {
  try {
    return workspace.inbox.messages.newly_removed();
  } catch (const workspace::StoreError& error) {
    log::debug("inbox: {}", error.what());
    return std::nullopt;
  }
}

}  // namespace

std::vector<std::string> changed_resources(const std::vector<std::string>& removed) {
  std::vector<std::string> uris = {inbox_uri};
  for (const std::string& id : removed) uris.push_back(fmt::format("{}/{}", inbox_uri, id));
  return uris;
}

awaitable<void> report_resource_changes(Services& services,
                                        std::function<void(const std::string& uri)> updated) {
  std::map<const workspace::Workspace*, std::uint64_t> reported;
  while (true) {
    bool all = true;
    for (workspace::Workspace& workspace : services.workspaces) {
      const std::uint64_t now = workspace.changes.messages();
      if (now == reported[&workspace]) continue;
      const auto removed = newly_removed(workspace);
      for (const std::string& uri : changed_resources(removed.value_or(Ids()))) updated(uri);
      if (removed) {
        reported[&workspace] = now;
      } else {
        all = false;
      }
    }
    Event& changed = services.workspaces.changed();
    if (all) {
      co_await changed.wait();
    } else {
      const Clock::time_point again = services.clock.now() + services.config.timing.push_retry;
      [[maybe_unused]] auto notified = co_await changed.wait_until(again);
    }
  }
}

std::vector<mcp::Resource> make_resources(Services& services) {
  std::vector<mcp::Resource> resources;
  resources.push_back({.uri = "molecule://workspace",
                       .name = "workspace",
                       .title = "Own workspace",
                       .description = "What the platform knows about this workspace.",
                       .mime_type = json_type,
                       .read = [&services](mcp::Call&) { return read_workspaces(services); }});
  resources.push_back({.uri = "molecule://peers",
                       .name = "peers",
                       .title = "Peers",
                       .description = "The agents that tasks can be delegated to.",
                       .mime_type = json_type,
                       .read = [&services](mcp::Call&) { return read_peers(services); }});
  if (!services.config.inbox) return resources;
  resources.push_back({.uri = inbox_uri,
                       .name = "inbox",
                       .title = "Inbox",
                       .description = "The waiting messages, oldest first.",
                       .mime_type = json_type,
                       .read = [&services](mcp::Call&) { return read_inbox(services); }});
  return resources;
}

std::vector<mcp::ResourceTemplate> make_resource_templates(Services& services) {
  std::vector<mcp::ResourceTemplate> templates;
  if (!services.config.inbox) return templates;
  templates.push_back({.uri = "molecule://inbox/{activity_id}",
                       .name = "message",
                       .title = "Message",
                       .description = "One waiting message.",
                       .mime_type = json_type,
                       .read =
                           [&services](mcp::Call& call) {
                             return read_message(
                                 services,
                                 std::string(call.arguments()["activity_id"].string_or("")));
                           },
                       .completers = {{"activity_id", complete_activity(services)}}});
  return templates;
}

}  // namespace molecule::tools

#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/json/writer.hpp"
#include "tools/completions.hpp"
#include "tools/errors.hpp"
#include "tools/inbox/when_free.hpp"
#include "tools/peers/ask_all.hpp"
#include "tools/peers/choose.hpp"
#include "tools/tool_registry.hpp"
#include "tools/tools.hpp"

namespace molecule::tools {

namespace {

constexpr const char* json_type = "application/json";
constexpr std::size_t most_messages = 100;

mcp::ReadResult contents(std::string json) {
  mcp::ReadResult result;
  result.contents.push_back({.mime_type = json_type, .data = std::move(json)});
  return result;
}

/// The data of a tool; a resource has no other way to say what failed than its contents.
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

awaitable<mcp::ReadResult> read_workspaces(Services& services) {
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
  auto peers = co_await list_peers(services);
  mcp::ReadResult read = contents(std::move(peers));
  co_return read;
}

awaitable<mcp::ReadResult> read_inbox(Services& services) {
  auto waiting = co_await peek(services, most_messages);
  mcp::ReadResult read = contents(std::move(waiting));
  co_return read;
}

awaitable<mcp::ReadResult> read_message(Services& services, std::string activity_id) {
  mcp::ReadResult result;
  const auto look = [&services, activity_id] {
    return services.workspaces.find_message(activity_id);
  };
  try {
    auto found = co_await when_free(services, look);
    if (found) result = contents(workspace::to_json(found->message));
  } catch (const sqlite::Error& error) {
    result = contents(failure("The message could not be read", error));
  }
  co_return result;
}

}  // namespace

std::vector<std::string> changed_resources(const std::vector<std::string>& popped) {
  std::vector<std::string> uris = {inbox_uri};
  for (const std::string& id : popped) uris.push_back(fmt::format("{}/{}", inbox_uri, id));
  return uris;
}

std::vector<mcp::Resource> make_resources(Services& services) {
  std::vector<mcp::Resource> resources;
  resources.push_back({.uri = "molecule://workspace",
                       .name = "workspace",
                       .title = "Own workspace",
                       .description = "What the platform knows of this workspace.",
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

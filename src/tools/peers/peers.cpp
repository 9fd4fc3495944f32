#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "molecule/mcp/arguments.hpp"
#include "tools/errors.hpp"
#include "tools/peers/ask_all.hpp"
#include "tools/peers/choose.hpp"
#include "tools/shared_calls.hpp"
#include "tools/tool_registry.hpp"

namespace molecule::tools {

namespace {

using platform::Errc;

std::string_view or_else(const std::string& text, std::string_view otherwise) {
  return text.empty() ? otherwise : std::string_view(text);
}

/// `through`: which of our workspaces knows the peers; empty if there is only one.
std::string lines(const std::vector<platform::Peer>& peers, std::string_view through) {
  std::string text;
  for (const platform::Peer& peer : peers) {
    if (!text.empty()) text += '\n';
    text += fmt::format("- {} (ID: {}, status: {}, role: {}{}{})", or_else(peer.name, "unnamed"),
                        peer.id, or_else(peer.status, "unknown"), or_else(peer.role, "none"),
                        through.empty() ? "" : ", through: ", through);
  }
  return text;
}

/// Why there is no list; each case has its own text.
std::string_view reason(Errc code) {
  switch (code) {
    case Errc::unauthorized:
    case Errc::forbidden:
      return "Cannot list the peers: authentication failed";
    case Errc::not_found:
    case Errc::gone:
      return "Cannot list the peers: this workspace is not registered";
    case Errc::unreachable:
    case Errc::timeout:
    case Errc::connection_lost:
      return "Cannot list the peers: the platform could not be reached";
    default:
      return "Cannot list the peers: the platform answered with an error";
  }
}

void remember(workspace::Workspace& workspace, const std::vector<platform::Peer>& peers) {
  for (const platform::Peer& peer : peers) workspace.know_peer(peer);
}

mcp::ToolResult unknown_peers(const platform::Error& error) {
  return failure(reason(error.code), About::own_workspace, error);
}

void write(json::Array& list, const std::vector<platform::Peer>& peers, std::string_view through) {
  for (const platform::Peer& peer : peers) {
    auto o = list.object();
    o.field("id", peer.id);
    o.field("name", peer.name);
    o.field("status", peer.status);
    o.field("role", peer.role);
    if (!through.empty()) o.field("through", through);
  }
}

awaitable<mcp::ToolResult> list_peers_of_one(workspace::Workspace& workspace) {
  auto peers = co_await workspace.client.peers();
  mcp::ToolResult result;
  if (!peers) {
    result = unknown_peers(peers.error());
    co_return result;
  }
  remember(workspace, *peers);
  result.text = peers->empty()
                    ? "There are no peers: the platform answered with an empty list. No workspace "
                      "is this one's sibling, parent or child."
                    : lines(*peers, {});
  json::Writer writer;
  {
    auto o = writer.object();
    auto list = o.array("peers");
    write(list, *peers, {});
  }
  result.structured = std::move(writer).take();
  co_return result;
}

using PeerLists = Answers<platform::Outcome<std::vector<platform::Peer>>>;

std::string structured(workspace::Workspaces& workspaces, const PeerLists& lists) {
  json::Writer writer;
  {
    auto o = writer.object();
    auto list = o.array("peers");
    std::size_t at = 0;
    for (workspace::Workspace& workspace : workspaces) {
      const auto& peers = lists[at++];
      if (peers && *peers) write(list, **peers, workspace.id());
    }
  }
  return std::move(writer).take();
}

/// A workspace's lines in the list of all.
std::string lines_of(workspace::Workspace& workspace, const PeerLists::value_type& peers) {
  if (!peers)
    return fmt::format("- workspace {} cannot be used: {}.", workspace.id(),
                       workspace.state().reason);
  if (!*peers) {
    return fmt::format("- workspace {}: {}", workspace.id(), unknown_peers(peers->error()).text);
  }
  if ((*peers)->empty()) return fmt::format("- workspace {} has no peers.", workspace.id());
  remember(workspace, **peers);
  return lines(**peers, workspace.id());
}

/// A workspace that fails says so in its own lines and does not affect the others.
awaitable<mcp::ToolResult> list_peers_of_all(Services& services) {
  PeerLists lists = co_await ask_all(services, "list_peers", peers_of);
  std::vector<std::string> texts;
  bool any = false;
  std::size_t at = 0;
  for (workspace::Workspace& workspace : services.workspaces) {
    const auto& peers = lists[at++];
    texts.push_back(lines_of(workspace, peers));
    any = any || (peers && *peers);
  }
  mcp::ToolResult result;
  result.text = fmt::format("{}", fmt::join(texts, "\n"));
  result.is_error = !any;
  if (any) result.structured = structured(services.workspaces, lists);
  co_return result;
}

std::string removed(const std::string& id, const platform::Error& error) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("error", "removed");
    o.field("id", id);
    if (error.removed_at.empty()) {
      o.field("removed_at", nullptr);
    } else {
      o.field("removed_at", error.removed_at);
    }
    o.field("hint", error.hint.empty()
                        ? std::string("Regenerate workspace and token from the canvas, Tokens tab")
                        : error.hint);
  }
  return std::move(writer).take();
}

awaitable<mcp::ToolResult> list_peers_call(Services& services, mcp::Call&) {
  return list_peers(services);
}

awaitable<mcp::ToolResult> get_workspace_info(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  workspace::Workspace& workspace = choose_workspace(services, arguments);
  if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
  co_return co_await workspace_info(workspace);
}

}  // namespace

awaitable<platform::Outcome<std::vector<platform::Peer>>> peers_of(
    workspace::Workspace& workspace) {
  return workspace.client.peers();
}

awaitable<mcp::ToolResult> list_peers(Services& services) {
  return services.workspaces.several() ? list_peers_of_all(services)
                                       : list_peers_of_one(services.workspaces.first());
}

awaitable<mcp::ToolResult> workspace_info(workspace::Workspace& workspace) {
  auto info = co_await workspace.client.workspace_info();
  mcp::ToolResult result;
  if (info) {
    result.text = std::move(*info);
  } else if (info.error().code == Errc::gone) {
    result.text = removed(workspace.id(), info.error());
    result.is_error = true;
  } else {
    result =
        failure("This workspace's details could not be read", About::own_workspace, info.error());
  }
  co_return result;
}

void add_peer_tools(ToolRegistry& tools) {
  tools.add({.name = "list_peers",
             .title = "List peers",
             .description = "The agents that you can delegate to: name, ID, status, role.",
             .output_schema = R"({"type":"object","properties":{"peers":{"type":"array","items":{)"
                              R"("type":"object","properties":{"id":{"type":"string"},)"
                              R"("name":{"type":"string"},"status":{"type":"string"},)"
                              R"("role":{"type":"string"},"through":{"type":"string"}},)"
                              R"("required":["id"]}}},"required":["peers"]})",
             .hints = read_only},
            list_peers_call);
  tools.add(
      {.name = "get_workspace_info",
       .title = "Own workspace",
       .description = "What the platform knows about this workspace: name, role, status, parent.",
       .output_schema = any_object,
       .hints = read_only,
       .choice = source_argument},
      get_workspace_info);
}

}  // namespace molecule::tools

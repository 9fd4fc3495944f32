#include <fmt/format.h>

#include <string>
#include <utility>

#include "errors.hpp"
#include "molecule/base/json_writer.hpp"
#include "subjects.hpp"

namespace molecule::tools {

namespace {

using platform::Errc;

std::string_view or_else(const std::string& text, std::string_view otherwise) {
  return text.empty() ? otherwise : std::string_view(text);
}

std::string lines(const std::vector<platform::Peer>& peers) {
  if (peers.empty()) {
    return "There are no peers: the platform answered with an empty list. No workspace shares "
           "this one's parent, is its parent or its child.";
  }
  std::string text;
  for (const platform::Peer& peer : peers) {
    if (!text.empty()) text += '\n';
    text += fmt::format("- {} (ID: {}, status: {}, role: {})", or_else(peer.name, "unnamed"),
                        peer.id, or_else(peer.status, "unknown"), or_else(peer.role, "none"));
  }
  return text;
}

/// Why there is no list, in the words that tell the cases apart.
std::string_view reason(Errc code) {
  switch (code) {
    case Errc::unauthorized:
    case Errc::forbidden:
      return "The peers are not known: authentication failed";
    case Errc::not_found:
    case Errc::gone:
      return "The peers are not known: this workspace is not registered";
    case Errc::unreachable:
    case Errc::timeout:
    case Errc::connection_lost:
      return "The peers are not known: the platform could not be reached";
    default:
      return "The peers are not known: the platform answered with an error";
  }
}

awaitable<mcp::ToolResult> list_peers(Services& services) {
  auto peers = co_await services.platform.peers();
  mcp::ToolResult result;
  if (peers) {
    result.text = lines(*peers);
  } else {
    result = failure(reason(peers.error().code), About::own_workspace, peers.error());
  }
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

awaitable<mcp::ToolResult> get_workspace_info(Services& services) {
  auto info = co_await services.platform.workspace_info();
  mcp::ToolResult result;
  if (info) {
    result.text = std::move(*info);
  } else if (info.error().code == Errc::gone) {
    result.text = removed(services.config.workspace_id, info.error());
    result.is_error = true;
  } else {
    result = failure("This workspace's details are not known", About::own_workspace, info.error());
  }
  co_return result;
}

}  // namespace

std::vector<mcp::Tool> peer_tools(Services& services) {
  const mcp::Annotations looks{
      .read_only = true, .destructive = false, .idempotent = true, .open_world = false};
  std::vector<mcp::Tool> tools;
  tools.push_back({.name = "list_peers",
                   .title = "List peers",
                   .description = "The agents that you can delegate to: name, ID, status, role.",
                   .input_schema = no_arguments,
                   .output_schema = {},
                   .annotations = looks,
                   .meta = {},
                   .handler = [&services](mcp::Call&) { return list_peers(services); }});
  tools.push_back({.name = "get_workspace_info",
                   .title = "Own workspace",
                   .description = "What the platform knows of this workspace: name, role, status, "
                                  "parent.",
                   .input_schema = no_arguments,
                   .output_schema = {},
                   .annotations = looks,
                   .meta = {},
                   .handler = [&services](mcp::Call&) { return get_workspace_info(services); }});
  return tools;
}

}  // namespace molecule::tools

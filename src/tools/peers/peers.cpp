#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/json/sanitized.hpp"
#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "molecule/mcp/arguments.hpp"
#include "tools/errors.hpp"
#include "tools/peers/ask_all.hpp"
#include "tools/peers/choose.hpp"
#include "tools/results/limits.hpp"
#include "tools/results/others_text.hpp"
#include "tools/shared_calls.hpp"
#include "tools/tool_registry.hpp"

namespace molecule::tools {

namespace {

using platform::Errc;

constexpr std::size_t max_card_text_bytes = 1'000;

std::string or_else(std::string text, std::string_view otherwise) {
  return text.empty() ? std::string(otherwise) : std::move(text);
}

/// `through`: which of our workspaces knows the peer; empty if there is only one.
std::string line_of(const platform::Peer& peer, std::string_view through) {
  return fmt::format(
      "- {} (ID: {}, status: {}, role: {}{}{})", or_else(quoted_name(peer.name), "unnamed"),
      peer.id, or_else(quoted_name(peer.status), "unknown"),
      or_else(quoted_name(peer.role), "none"), through.empty() ? "" : ", through: ", through);
}

std::string to_json(const platform::Peer& peer, std::string_view through) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("id", peer.id);
    o.field("name", peer.name);
    o.field("status", peer.status);
    o.field("role", peer.role);
    if (!through.empty()) o.field("through", through);
  }
  return std::move(writer).take();
}

/// The peers that fit, as text and as JSON, after the first `offset` ones.
class PeerList {
 public:
  explicit PeerList(std::size_t offset) : offset_(offset) {}

  void add(const std::vector<platform::Peer>& peers, std::string_view through) {
    for (const platform::Peer& peer : peers) {
      if (++seen_ <= offset_) continue;
      const std::string line = line_of(peer, through);
      const std::string item = to_json(peer, through);
      const bool fits = text_.size() + line.size() <= max_list_bytes &&
                        list_.size() + item.size() <= max_list_bytes;
      full_ = full_ || !fits;
      if (full_) continue;
      add_line(line);
      list_ += (list_.empty() ? "" : ",") + item;
      ++shown_;
    }
  }
  void add_line(std::string_view line) {
    if (!text_.empty()) text_ += '\n';
    text_ += line;
  }
  mcp::ToolResult result() && {
    const std::size_t more = seen_ - std::min(seen_, offset_) - shown_;
    if (more > 0) {
      add_line(fmt::format("({} more: ask with offset={}.)", more, offset_ + shown_));
    }
    mcp::ToolResult result;
    json::Writer writer;
    {
      auto o = writer.object();
      o.raw("peers", "[" + list_ + "]");
      if (more > 0) o.field("more", more);
    }
    result.text = std::move(text_);
    result.structured = std::move(writer).take();
    return result;
  }
  bool empty() const { return text_.empty(); }

 private:
  std::size_t offset_;
  std::size_t seen_ = 0;
  std::size_t shown_ = 0;
  bool full_ = false;
  std::string text_;
  std::string list_;
};

/// Why there is no list; each case has its own text.
std::string_view reason(const platform::Error& error) {
  switch (error.code) {
    case Errc::unauthorized:
    case Errc::forbidden:
      return "Cannot list the peers: authentication failed";
    case Errc::not_found:
      return error.explained ? "Cannot list the peers: this workspace is not registered"
                             : "Cannot list the peers: the platform does not say why; usually the "
                               "organisation id is missing";
    case Errc::gone:
      return "Cannot list the peers: this workspace was removed";
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
  return failure(reason(error), About::own_workspace, error);
}

awaitable<mcp::ToolResult> list_peers_of_one(workspace::Workspace& workspace, std::size_t offset) {
  auto peers = co_await workspace.client.peers();
  mcp::ToolResult result;
  if (!peers) {
    result = unknown_peers(peers.error());
    co_return result;
  }
  remember(workspace, *peers);
  PeerList list(offset);
  list.add(*peers, {});
  if (list.empty()) {
    list.add_line(
        peers->empty()
            ? "There are no peers: the platform answered with an empty list. No workspace "
              "is this one's sibling, parent or child."
            : "There are no more peers.");
  }
  result = std::move(list).result();
  co_return result;
}

using PeerLists = Answers<platform::Outcome<std::vector<platform::Peer>>>;

/// A workspace's own line in the list of all, instead of its peers; empty if it has some.
std::string line_without_peers(const workspace::Workspace& workspace,
                               const PeerLists::value_type& peers) {
  if (!peers)
    return fmt::format("- workspace {} cannot be used: {}.", workspace.id(),
                       workspace.state().reason);
  if (!*peers) {
    return fmt::format("- workspace {}: {}", workspace.id(), unknown_peers(peers->error()).text);
  }
  if ((*peers)->empty()) return fmt::format("- workspace {} has no peers.", workspace.id());
  return {};
}

/// A workspace that fails says so in its own lines and does not affect the others.
awaitable<mcp::ToolResult> list_peers_of_all(Services& services, std::size_t offset) {
  PeerLists lists = co_await ask_all(services, "list_peers", peers_of);
  PeerList list(offset);
  bool any = false;
  std::size_t at = 0;
  for (workspace::Workspace& workspace : services.workspaces) {
    const auto& peers = lists[at++];
    const std::string line = line_without_peers(workspace, peers);
    any = any || (peers && *peers);
    if (!line.empty()) {
      list.add_line(line);
      continue;
    }
    remember(workspace, **peers);
    list.add(**peers, workspace.id());
  }
  mcp::ToolResult result = std::move(list).result();
  result.is_error = !any;
  if (!any) result.structured.clear();
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

/// An agent card may be long.
std::string shortened(std::string object) {
  if (object.size() <= max_list_bytes) return object;
  json::Document document;
  const auto root = document.parse(object);
  return root.ok() ? json::dump_sanitized(*root, max_card_text_bytes) : object;
}

awaitable<mcp::ToolResult> list_peers_call(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const auto offset = static_cast<std::size_t>(arguments.integer("offset", 0, 0, INT32_MAX));
  workspace::Workspace* source = source_workspace(services, arguments);
  if (source == nullptr && !services.workspaces.several()) source = &services.workspaces.first();
  mcp::ToolResult result;
  if (source == nullptr) {
    if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
    result = co_await list_peers_of_all(services, offset);
  } else {
    if (auto wrong = rejection(services, arguments, *source)) co_return std::move(*wrong);
    result = co_await list_peers_of_one(*source, offset);
  }
  co_return result;
}

awaitable<mcp::ToolResult> get_workspace_info(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  workspace::Workspace& workspace = choose_workspace(services, arguments);
  // Otherwise the platform says more than we know, and the call may find a new token.
  if (services.stays && workspace.state().use == workspace::Workspace::Use::rejected) {
    if (auto wrong = rejection(services, arguments, workspace)) co_return std::move(*wrong);
  }
  if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
  co_return co_await workspace_info(workspace);
}

}  // namespace

awaitable<platform::Outcome<std::vector<platform::Peer>>> peers_of(
    workspace::Workspace& workspace) {
  return workspace.client.peers();
}

awaitable<mcp::ToolResult> list_peers(Services& services) {
  return services.workspaces.several() ? list_peers_of_all(services, 0)
                                       : list_peers_of_one(services.workspaces.first(), 0);
}

awaitable<mcp::ToolResult> workspace_info(workspace::Workspace& workspace) {
  auto info = co_await workspace.client.workspace_info();
  mcp::ToolResult result;
  if (info) {
    result.text = shortened(std::move(*info));
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
             .description = "The agents you can give tasks to.",
             .input_schema = R"({"type":"object","properties":{"offset":{"type":"integer"}}})",
             .is_json = true,
             .hints = read_only,
             .choice = source_argument},
            list_peers_call);
  tools.add({.name = "get_workspace_info",
             .description = "Your own workspace.",
             .is_json = true,
             .hints = read_only,
             .choice = source_argument},
            get_workspace_info);
}

}  // namespace molecule::tools

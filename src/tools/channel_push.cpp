#include "tools/channel_push.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/json/writer.hpp"
#include "base/log.hpp"
#include "base/text/tags.hpp"
#include "base/text/text.hpp"
#include "tools/results/limits.hpp"

namespace molecule::tools {

namespace {

/// So many are announced together: the agent finds the others in the inbox, and so do other
/// sessions.
constexpr std::size_t max_at_once = 100;

/// `meta` becomes attributes of that tag: no character of a value may end one.
std::string attribute(std::string_view text) {
  std::string out = text::sanitize_name(text);
  std::erase_if(out, [](char c) { return c == '<' || c == '>' || c == '"'; });
  return out;
}

/// A host that shows all of a long text would cut it where it likes.
std::string pushed_text(const workspace::Message& message) {
  const std::string text = text::sanitize(message.text);
  const Slice part = slice(text, 0, max_push_bytes);
  return beginning(text, max_push_bytes,
                   fmt::format("inbox_peek with activity_id={} and offset={} shows the rest.",
                               message.activity_id, part.next));
}

}  // namespace

std::string channel_params(const workspace::Message& message, std::string_view workspace_id) {
  json::Writer writer;
  {
    auto params = writer.object();
    // The host wraps the text in a `<channel>` tag: other people's text must not close or open one
    // (lessons.md 4).
    params.field("content", text::without_tags(pushed_text(message), "channel"));
    auto meta = params.object("meta");
    meta.field("kind", message.kind);
    meta.field("peer_id", message.peer_id);
    meta.field("method", attribute(message.method));
    meta.field("activity_id", message.activity_id);
    meta.field("ts", message.created_at);
    if (!message.peer_name.empty()) meta.field("peer_name", attribute(message.peer_name));
    if (!message.peer_role.empty()) meta.field("peer_role", attribute(message.peer_role));
    if (!message.agent_card_url.empty()) meta.field("agent_card_url", message.agent_card_url);
    if (!message.task_id.empty()) meta.field("task_id", attribute(message.task_id));
    if (!message.task.empty()) meta.field("task", attribute(message.task));
    // Only that there are some: the host takes no lists, and texts need not mention files.
    const std::size_t files = message.attachments.size();
    if (files > 0) meta.field("attachments", std::to_string(files));
    meta.field("workspace_id", workspace_id);
  }
  return std::move(writer).take();
}

bool takes_channel_messages(std::string_view host_name) {
  return host_name == "claude-code";
}

ChannelPush::ChannelPush(Services& services, Notify notify)
    : services_(services), notify_(std::move(notify)) {}

awaitable<void> ChannelPush::run() {
  while (true) {
    Event& changed = services_.workspaces.changed();
    const Next next = announce_changes();
    const workspace::Timing& timing = services_.config.timing;
    if (next == Next::at_change) {
      co_await changed.wait();
    } else {
      const Clock::duration pause = next == Next::soon ? Clock::duration(timing.push_hold)
                                                       : Clock::duration(timing.push_retry);
      [[maybe_unused]] auto notified = co_await changed.wait_until(services_.clock.now() + pause);
    }
  }
}

ChannelPush::Next ChannelPush::announce_changes() {
  Next next = Next::at_change;
  for (workspace::Workspace& workspace : services_.workspaces) {
    Announced& announced = announced_[&workspace];
    const std::uint64_t now = workspace.changes.total();
    if (announced.at == now || !workspace.in_use()) continue;
    try {
      const bool held_back = announce(workspace);
      announced = {.at = now, .failure = {}};
      if (held_back) announced.at.reset();
      if (held_back) next = Next::soon;
    } catch (const workspace::StoreError& error) {
      if (announced.failure != error.what()) log::warning("inbox: {}", error.what());
      announced.failure = error.what();
      if (next == Next::at_change) next = Next::after_failure;
    }
  }
  return next;
}

bool ChannelPush::announce(workspace::Workspace& workspace) {
  auto announced = workspace.inbox.leases.announce(max_at_once);
  for (workspace::Message& message : announced.messages) {
    workspace.complete(message);
    notify_("notifications/claude/channel", channel_params(message, workspace.id()));
    workspace.hand_out(message);
  }
  return announced.held_back;
}

}  // namespace molecule::tools

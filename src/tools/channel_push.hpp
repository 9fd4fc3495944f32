#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "workspace/workspaces.hpp"

namespace molecule::tools {

/// Wakes an idle agent: announces each new message once to a host that takes channel
/// notifications (molecule-mcp.md 7), and leases it to this session, so that no other answers it.
/// It never counts as delivery: the message stays in the inbox.
class ChannelPush {
 public:
  /// Sends one notification of the server's own; `params` is a JSON object's text.
  using Notify = std::function<void(std::string_view method, std::string_view params)>;

  explicit ChannelPush(Notify notify);

  /// The host said `notifications/initialized`: from now on messages are announced, those first
  /// that came before it.
  void begin(std::string_view host_name, workspace::Workspaces& workspaces);
  /// Announces what is new in the inbox of `workspace`.
  void announce(workspace::Workspace& workspace);

 private:
  Notify notify_;
  bool active_ = false;
  /// The last failure of a workspace's inbox, so that it is told once.
  std::map<std::string, std::string> failures_;
};

/// `params` of `notifications/claude/channel` for one message.
std::string channel_params(const workspace::Message& message, std::string_view workspace_id);

}  // namespace molecule::tools

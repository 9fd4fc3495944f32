#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tools/tools.hpp"

namespace molecule::tools {

/// True for hosts that take channel notifications.
bool takes_channel_messages(std::string_view host_name);

/// Wakes an idle agent: announces each new message once to a host that takes channel notifications
/// (molecule-mcp.md 7), those first that came before it, unless a session waits for messages. While
/// many wait unanswered, one line says how many more there are, instead of them. This never counts
/// as delivery: the message stays in the inbox, and is another session's if this one's agent does
/// not act on it (docs/spec/delivery.md).
class ChannelPush {
 public:
  /// Sends one notification of the server's own; `params` is a JSON object's text.
  using Notify = std::function<void(std::string_view method, std::string_view params)>;

  ChannelPush(Services& services, Notify notify);
  ChannelPush(const ChannelPush&) = delete;
  ChannelPush& operator=(const ChannelPush&) = delete;

  /// Announces after every change of a workspace; what failed is tried again. Ends by cancellation.
  awaitable<void> run();

 private:
  struct Announced {
    /// As `Changes::total`, when all messages had been announced.
    std::optional<std::uint64_t> at;
    /// The last failure of its inbox, so that it is reported once.
    std::string failure;
    /// How many more it was told of.
    std::size_t more = 0;
    Clock::time_point more_at = {};
  };
  /// When to announce again.
  enum class Next { at_change, soon, after_failure };
  Next announce_changes();
  /// True if some are held back for a session that waits.
  bool announce(workspace::Workspace& workspace);
  void announce_more(workspace::Workspace& workspace, std::size_t more);

  Services& services_;
  Notify notify_;
  std::map<const workspace::Workspace*, Announced> announced_;
};

/// `params` of the notification that more messages wait than are pushed.
std::string more_params(std::size_t more, std::string_view workspace_id);

/// `params` of `notifications/claude/channel` for one message.
std::string channel_params(const workspace::Message& message, std::string_view workspace_id);

}  // namespace molecule::tools

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "base/async/clock.hpp"
#include "base/json/reader.hpp"
#include "tools/tools.hpp"

namespace molecule::tools {

/// Lets the person answer the host's permission prompts on the platform (page.md 3.6): each becomes
/// an approval, and a decision goes back to the host. Only a decision that the platform says the
/// person made counts; nothing is ever allowed otherwise. The host's own prompt stays usable: once
/// the agent has gone on, the approval is withdrawn.
class PermissionRelay {
 public:
  /// Sends one notification of the server's own; `params` is a JSON object's text.
  using Notify = std::function<void(std::string_view method, std::string_view params)>;

  /// `session` names this host's session to the person.
  PermissionRelay(Services& services, std::string session, Notify notify);
  PermissionRelay(const PermissionRelay&) = delete;
  PermissionRelay& operator=(const PermissionRelay&) = delete;

  /// A notification of the host: a prompt, if `method` says so; anything malformed is ignored.
  void received(std::string_view method, json::Value params);
  /// The agent calls a tool: prompts that are older than a moment were answered by the host.
  void agent_went_on();
  /// Withdraws what is open, at the session's end.
  awaitable<void> withdraw_all();

 private:
  struct Prompt {
    std::string id;
    /// Of this prompt alone: the host may use an id again, and a decision on what was asked before
    /// must not answer what is asked now.
    std::string key;
    std::string tool_name;
    std::string description;
    std::string input_preview;
    /// The approval on the platform; empty until it is made.
    std::string request_id;
    Clock::time_point asked_at;
    bool answered_by_host = false;
  };
  awaitable<void> relay(std::shared_ptr<Prompt> prompt);
  /// True once the approval exists.
  awaitable<bool> create(std::shared_ptr<Prompt> prompt);
  /// True once the approval is closed.
  awaitable<bool> decided(std::shared_ptr<Prompt> prompt);
  /// True once the approval can no longer be given.
  awaitable<bool> withdraw(std::shared_ptr<Prompt> prompt);
  bool is_over(const Prompt& prompt) const;

  Services& services_;
  std::string session_;
  Notify notify_;
  std::map<std::string, std::shared_ptr<Prompt>> open_;
};

}  // namespace molecule::tools

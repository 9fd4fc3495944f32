#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/async/backoff.hpp"
#include "base/async/event.hpp"
#include "workspace/sync/context.hpp"
#include "workspace/sync/pause.hpp"
#include "workspace/workload.hpp"

namespace molecule::workspace {

/// Keeps one workspace online while this process is the owner: registers until the platform
/// accepts, sends a heartbeat with the true values every `Timing::heartbeat`, and keeps the secrets
/// that the replies bring.
class Presence {
 public:
  /// `load` returns what all sessions of the workspace are working on, `agent_card` a JSON object's
  /// text, and `token_refused` wakes `register_again`.
  Presence(SyncContext context, std::function<Load()> load, std::function<std::string()> agent_card,
           Event& token_refused);
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

  /// Returns empty once the platform has accepted. If it rejects the credentials and has never
  /// accepted any from this process, there is nothing to keep online: returns the reason, for
  /// people.
  awaitable<std::optional<std::string>> register_workspace();
  /// Registers once more whenever polls are refused: a platform that has revoked all tokens of the
  /// workspace takes heartbeats without one, and issues a new token here (platform-api.md
  /// 0.4, 1.1). Ends by cancellation.
  awaitable<void> register_again();
  /// Sends heartbeats from the end of the first register attempt on. Ends by cancellation, or when
  /// the workspace was removed.
  awaitable<void> send_heartbeats();

 private:
  void note_failure(std::string_view call, const platform::Error& error);
  void tried();
  void registered(const platform::Registration& registration);
  platform::HeartbeatRequest heartbeat() const;
  Clock::duration next_interval() const;
  Clock::duration patience(const platform::Error& error, Clock::duration own) const;
  Clock::duration succeeded(const platform::HeartbeatReply& reply);
  Clock::duration failed(const platform::Error& error, Escalation::Say say);
  void report_rejection(const platform::Error& error, Escalation::Say say);
  bool token_changed();
  void keep_token(const std::string& token);
  void keep_secret(const std::optional<std::string>& secret);
  void keep(const Result<void, std::string>& kept, std::string_view what);
  const std::string& workspace() const { return context_.client.endpoint().workspace_id; }
  std::string rejection_text(const platform::Error& error) const;

  SyncContext context_;
  std::function<Load()> load_;
  std::function<std::string()> agent_card_;
  Event& token_refused_;
  Clock::time_point started_;
  Event tried_event_;
  bool tried_ = false;
  Escalation escalation_;
  unsigned failures_ = 0;
  Backoff slower_;
  LogOnce platform_log_;
  LogOnce credentials_log_;
  LogOnce keeping_log_;
};

}  // namespace molecule::workspace

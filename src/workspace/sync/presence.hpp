#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/async/clock.hpp"
#include "platform/client.hpp"
#include "workspace/config/credentials.hpp"
#include "workspace/sync/ownership.hpp"
#include "workspace/sync/removal.hpp"
#include "workspace/workload.hpp"

namespace molecule::workspace {

/// How loud to be about heartbeats that the platform rejects (401, 403) one after another
/// (molecule-mcp.md 4). Other failures do not count.
class Escalation {
 public:
  enum class Say { nothing, warning, error };

  /// One more rejection: the 1st and 2nd warn, the 3rd is an error and every 20th after it.
  Say rejected();
  void accepted() { count_ = 0; }
  unsigned count() const { return count_; }

 private:
  unsigned count_ = 0;
};

/// Keeps one workspace online while this process is the owner: registers until the platform
/// accepts, beats every 20 s with the true values, and keeps the secrets that the replies bring.
class Presence {
 public:
  /// `work` gives what all sessions of the workspace are at work on, `agent_card` a JSON object's
  /// text. `on_rejected` gets a text for people: the platform rejects the credentials and has never
  /// taken them in this process, so that there is nothing to keep alive (exit code 3).
  Presence(platform::Client& client, Ownership& ownership, Credentials& credentials,
           Removal& removal, std::function<Load()> work, Clock& clock,
           std::function<std::string()> agent_card,
           std::function<void(std::string text)> on_rejected);
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;
  ~Presence();

  /// Ends when the platform has accepted, or after `on_rejected`.
  awaitable<void> register_workspace();
  /// Beats from the end of the first register attempt on. Ends by cancellation, or when the
  /// workspace was removed.
  awaitable<void> beat();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace molecule::workspace

#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/clock.hpp"
#include "base/async/event.hpp"
#include "workspace/workspace.hpp"

namespace molecule::workspace {

/// The workspaces of this process, at least one, and their inboxes as one. Where there are several,
/// messages tell by `arrival_workspace_id` which of them received them, and the inbox functions
/// pass over an inbox that cannot be read as long as another one can. They throw `sqlite::Error`
/// as `Inbox` does, and do not wait for the lock of another process.
class Workspaces {
 public:
  /// How long a call goes on trying while another process writes, and how often; hosts wait longer.
  static constexpr std::chrono::seconds busy_patience{5};
  static constexpr std::chrono::milliseconds busy_pause{20};

  struct Arrival {
    Workspace* workspace;
    Message message;
  };

  Workspaces(const Config& config, asio::any_io_executor executor, net::HttpClient& http,
             Clock& clock, Workspace::Hooks hooks);

  /// Starts all of them.
  void start(TaskGroup& tasks);
  /// At the end of the process: lets other processes have what this session holds.
  void release();

  /// Of all of them; true where any goes on with another token.
  bool reload_tokens();

  bool several() const { return workspaces_.size() > 1; }
  Workspace& first() { return workspaces_.front(); }
  /// For a call that names none: the first that is in use; the first where none is.
  Workspace& default_workspace();
  /// For a message to a user that names none: the one whose user wrote what the agent was given
  /// last; `usual` where there was nothing. Of those in use.
  Workspace& workspace_for_user();
  /// By its id in any case; null for one that is not ours.
  Workspace* find(std::string_view workspace_id);
  /// Through which of them, of those in use, the peer is known; null where it is not.
  Workspace* through_peer(const std::string& peer_id);
  std::deque<Workspace>::iterator begin() { return workspaces_.begin(); }
  std::deque<Workspace>::iterator end() { return workspaces_.end(); }

  /// Oldest first.
  std::vector<Arrival> peek(std::size_t limit, Inbox::Which which = Inbox::Which::waiting);
  /// The message, while it has not been popped.
  std::optional<Arrival> find_message(std::string_view activity_id);
  /// False when there was no such message.
  bool pop(std::string_view activity_id);
  /// The oldest message that no other session has, leased to this one. Consumes nothing.
  std::optional<Arrival> take();
  /// Prolongs the leases of this session. Never throws: a lease that could not be prolonged lasts
  /// for several tries.
  void prolong_leases() noexcept;
  /// Why nothing comes any more: a line for each workspace that is not in use; empty where all are.
  std::string out_of_use() const;
  /// Whether any workspace is in use.
  bool any_in_use() const;
  /// As `take`, as soon as there is one; nothing once no workspace is in use, or at `deadline`, or
  /// up to `busy_patience` after it while another process writes.
  awaitable<std::optional<Arrival>> wait_until(Clock::time_point deadline);

 private:
  Arrival arrival(Workspace& workspace, Message message) const;
  std::optional<Arrival> next();
  std::optional<Arrival> take_unless_busy(bool& busy);
  void each_inbox(const std::function<bool(Workspace& workspace)>& look);

  Clock& clock_;
  Event arrived_;
  FileWatcher watcher_;
  std::deque<Workspace> workspaces_;
};

}  // namespace molecule::workspace

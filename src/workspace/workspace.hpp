#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/async/clock.hpp"
#include "base/async/tasks.hpp"
#include "base/files/file_watcher.hpp"
#include "net/http_client.hpp"
#include "platform/client.hpp"
#include "workspace/changes.hpp"
#include "workspace/config/config.hpp"
#include "workspace/config/credentials.hpp"
#include "workspace/files/files.hpp"
#include "workspace/store/inbox/inbox.hpp"
#include "workspace/sync/acknowledgements.hpp"
#include "workspace/sync/broadcasts.hpp"
#include "workspace/sync/events/event_stream.hpp"
#include "workspace/sync/owner_role.hpp"
#include "workspace/sync/poller.hpp"
#include "workspace/sync/presence.hpp"
#include "workspace/sync/report/trouble.hpp"
#include "workspace/workload.hpp"

namespace molecule::workspace {

/// One workspace as this process serves it: everything that it does not share with others. Must
/// outlive the tasks that it started.
class Workspace {
 public:
  /// Whether the workspace can be used.
  enum class Use {
    in_use,
    rejected,  ///< the platform rejects the credentials, and never accepted any from this process
    removed    ///< it was removed from the platform
  };
  struct State {
    Use use = Use::in_use;
    /// For people; empty while it is in use.
    std::string reason = {};
  };

  /// `any_changed` is the signal of all workspaces of the process.
  Workspace(const Config& config, const WorkspaceConfig& own, net::HttpClient& http, Clock& clock,
            Event& any_changed);
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  const std::string& id() const { return own_.id; }
  const WorkspaceConfig& config() const { return own_; }

  /// Starts the tasks that keep the workspace online and its inbox filled while this process is the
  /// owner, as far as the configuration enables them. Does nothing if they run.
  void start();
  /// Before `start`: where the tasks run. `watcher` reports writes of other processes.
  void prepare(TaskGroup& tasks, FileWatcher& watcher);
  /// At the end of the process: releases what this session holds.
  void release();

  const State& state() const { return state_; }
  bool in_use() const { return state_.use == Use::in_use; }
  /// What keeps the owner, this process or another one, from receiving messages or from being
  /// online; empty while all is well, or if nobody is the owner.
  std::optional<Trouble> trouble();
  /// Puts the workspace out of use: ends the tasks of `start`, and releases what this session
  /// holds.
  void disable(Use why, std::string reason);
  /// Reads the token's sources again. With a new token the workspace continues, even if it was
  /// disabled because of the old one. False if the token is the same.
  bool reload_token();
  /// Asks the platform whether it takes the token that it rejected; if so, the workspace continues.
  awaitable<void> retry_rejected();
  /// At the end of the process, before `release`: tells the platform what was handled meanwhile.
  awaitable<void> acknowledge();

  /// Remembers that this workspace can reach the peer, up to this many; the platform's own list is
  /// smaller.
  static constexpr std::size_t max_known_peers = 10'000;
  void know_peer(const platform::Peer& peer);
  /// Call when the agent is shown this message: its sender is known from then on, even after the
  /// message is removed.
  void know_sender(const Message& message);
  /// Call when the agent is given this message to answer.
  void hand_out(const Message& message);
  /// True if the peer is in this workspace's list, or wrote one of its messages.
  bool knows_peer(const std::string& peer_id);
  /// When the agent was last given a message of this workspace's user; the clock's minimum if
  /// never.
  Clock::time_point user_heard() const { return user_heard_; }
  /// Completes a message of the inbox for the agent, whichever way it is delivered: adds the files
  /// that were received, and the sender's name if the platform's row lacks it and the peer is
  /// known. Makes no requests.
  void complete(Message& message);
  /// Removes the message from the inbox; false if it was not there. Throws `StoreError`.
  bool remove(std::string_view activity_id);
  /// As `remove`, unless another session has the message.
  MessageStore::Popped pop(std::string_view activity_id);

  /// Stores a card, a JSON object's text, that the platform has accepted: whichever session
  /// registers next sends it again, until the environment describes another one.
  void keep_card(std::string_view card) noexcept;
  /// The card to register with: the stored one, or the environment's.
  std::string agent_card();

  Credentials credentials;
  platform::Client client;
  Changes changes;
  Inbox inbox;
  Files files;
  Workload workload;

 private:
  bool renew_token(std::string_view refused);
  void go_on();
  awaitable<void> watch_owner(FileWatcher& watcher);
  awaitable<void> register_workspace();
  awaitable<void> send_heartbeats();
  awaitable<void> poll();
  void wake(Wakes wakes);
  void check();
  void publish_workload() noexcept;
  Load total_load();
  void watch(FileWatcher& watcher);
  void removed();
  void name_peer(Message& message) const;

  const Config& config_;
  const WorkspaceConfig& own_;
  Clock& clock_;
  OwnerRole owner_role_;
  Removal removal_;
  Event token_refused_;
  Presence presence_;
  Acknowledgements acknowledgements_;
  Poller poller_;
  Broadcasts broadcasts_;
  EventStream events_;
  TaskGroup* tasks_ = nullptr;
  FileWatcher* watcher_ = nullptr;
  std::vector<TaskGroup::Id> running_;
  State state_;
  /// The token read at the start or at the last SIGHUP; a call may have found a newer one since.
  std::string announced_token_;
  /// The opening of the inbox whose files are watched.
  unsigned watched_opening_ = 0;
  /// This session's work as last written to the inbox.
  Load published_workload_;
  std::unordered_map<std::string, platform::Peer> known_peers_;
  Clock::time_point user_heard_ = Clock::time_point::min();
};

}  // namespace molecule::workspace

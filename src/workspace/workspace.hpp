#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/async/clock.hpp"
#include "base/async/tasks.hpp"
#include "base/files/file_watcher.hpp"
#include "net/http_client.hpp"
#include "platform/client.hpp"
#include "workspace/config/config.hpp"
#include "workspace/config/credentials.hpp"
#include "workspace/files/files.hpp"
#include "workspace/store/inbox.hpp"
#include "workspace/sync/acknowledgements.hpp"
#include "workspace/sync/ownership.hpp"
#include "workspace/sync/poller.hpp"
#include "workspace/sync/presence.hpp"
#include "workspace/workload.hpp"

namespace molecule::workspace {

/// One workspace as this process serves it: all that is its own and shared with no other. Must
/// outlive the tasks that it started.
class Workspace {
 public:
  struct Hooks {
    /// There may be something new in the inbox to give out: it was stored by this process or by
    /// another, or a lease has ended.
    std::function<void(Workspace& workspace)> on_arrival;
    /// The inbox may hold something else than before, whichever process changed it: messages came,
    /// or went, and of these `popped` are the ids.
    std::function<void(Workspace& workspace, const std::vector<std::string>& popped)> on_change;
    /// The platform rejects the credentials and has never taken any from this process; `text` says
    /// so to people.
    std::function<void(Workspace& workspace, const std::string& text)> on_rejected;
    /// The workspace was removed from the platform.
    std::function<void(Workspace& workspace, const std::string& text)> on_removed;
  };

  Workspace(const Config& config, const WorkspaceConfig& own, net::HttpClient& http, Clock& clock,
            const Hooks& hooks);
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  const std::string& id() const { return own_.id; }
  const WorkspaceConfig& config() const { return own_; }

  /// Starts what keeps the workspace online and its inbox filled, as far as the configuration
  /// wants it, while this process is the owner. `watcher` tells of the other processes' writes.
  void start(TaskGroup& tasks, FileWatcher& watcher);
  /// At the end of the process: lets the others have what this session holds.
  void release();

  /// Ends what `start` began: this workspace cannot be used, and `why` says so to people.
  void disable(std::string why);
  /// Reads the token's sources again. Where there is another token now, the workspace goes on with
  /// it, even if it was disabled for the old one; false where there is not.
  bool reload_token();
  /// Empty as long as the workspace is in use.
  const std::string& disabled() const { return disabled_; }

  /// Remembers that this workspace can reach the peer. So many are kept; the platform's own list
  /// is smaller.
  static constexpr std::size_t most_known_peers = 10'000;
  void know_peer(const platform::Peer& peer);
  /// The agent is shown this message: its writer is known from now on, also once it is popped.
  void know_writer(const Message& message);
  /// The agent is given this message to answer.
  void hand_out(const Message& message);
  /// When the agent was last given one of this workspace's user; the clock's least where never.
  Clock::time_point user_heard() const { return user_heard_; }
  /// Makes a message of the inbox what agents are shown, whichever way it reaches them: its files
  /// as far as they are here, and who wrote it where the platform's row did not say and the peer is
  /// known. Asks nobody.
  void complete(Message& message);
  /// The platform has taken this card, a JSON object's text: whichever session registers next gives
  /// it again, until the environment describes another one.
  void keep_card(std::string_view card) noexcept;
  /// The card to register with: the one that was kept, or the environment's.
  std::string agent_card();
  /// Takes the message out of the inbox; false where it was not there. Throws `sqlite::Error`.
  bool pop(std::string_view activity_id);
  /// Whether the peer is in this workspace's list, or wrote one of its messages.
  bool knows_peer(const std::string& peer_id);

  Credentials credentials;
  platform::Client client;
  Inbox inbox;
  Files files;
  Ownership ownership;
  Workload workload;

 private:
  bool renew_token(std::string_view refused);
  awaitable<void> watch_owner(FileWatcher& watcher);
  void look();
  void publish_workload() noexcept;
  Load work();
  void watch(FileWatcher& watcher);
  void arrived();
  void changed();
  void name_peer(Message& message) const;

  const Config& config_;
  const WorkspaceConfig& own_;
  Clock& clock_;
  std::function<void(Workspace& workspace)> on_arrival_;
  std::function<void(Workspace& workspace, const std::vector<std::string>& popped)> on_change_;
  Removal removal_;
  Presence presence_;
  Acknowledgements acknowledgements_;
  Poller poller_;
  TaskGroup* tasks_ = nullptr;
  FileWatcher* watcher_ = nullptr;
  std::vector<TaskGroup::Id> running_;
  std::string disabled_;
  /// What a person's SIGHUP has told of, or the start: a call may have found a newer one since.
  std::string announced_token_;
  bool watched_ = false;
  /// What the inbox has of this session's work.
  Load published_workload_;
  std::unordered_map<std::string, platform::Peer> known_peers_;
  Clock::time_point user_heard_ = Clock::time_point::min();
};

}  // namespace molecule::workspace

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

/// The workspaces of this process, at least one, and their inboxes as one. If there are several, a
/// message's `arrival_workspace_id` says which one received it, and the inbox functions skip an
/// inbox that cannot be read as long as another one can. They throw `StoreError`, and do not wait
/// for the lock of another process: calls run them in `retry_while_busy`.
class Workspaces {
 public:
  struct Arrival {
    Workspace* workspace;
    Message message;
  };
  /// All messages, or those that this session has or may be given.
  enum class Which { waiting, available };
  /// Of the messages that this session has.
  struct Open {
    std::vector<Arrival> arrivals;
    std::size_t more = 0;
  };

  Workspaces(const Config& config, asio::any_io_executor executor, net::HttpClient& http,
             Clock& clock);

  /// Starts all of them: the first at once, the others, if there are many, a little apart.
  void start(TaskGroup& tasks);
  /// At the end of the process: releases what this session holds.
  void release();
  /// Reloads all tokens; true if any workspace continues with another one.
  bool reload_tokens();
  /// `Workspace::retry_rejected` and `Workspace::acknowledge` of each, one after the other.
  awaitable<void> retry_rejected();
  awaitable<void> acknowledge();

  bool several() const { return workspaces_.size() > 1; }
  Workspace& first() { return workspaces_.front(); }
  /// For a call that names none: the first that is in use, or the first of all if none is.
  Workspace& default_workspace();
  /// For a message to a user that names none: the workspace in use whose user wrote the message
  /// that the agent was given last, or else `default_workspace`.
  Workspace& workspace_for_user();
  /// By its id in any case; null if it is not one of ours.
  Workspace* find(std::string_view workspace_id);
  /// The workspace in use that knows the peer; null if none does.
  Workspace* through_peer(const std::string& peer_id);
  std::deque<Workspace>::iterator begin() { return workspaces_.begin(); }
  std::deque<Workspace>::iterator end() { return workspaces_.end(); }
  /// Wakes after every change of any of them (`Changes`).
  Event& changed() { return changed_; }

  /// Oldest first.
  std::vector<Arrival> peek(std::size_t limit, Which which = Which::waiting);
  /// How many messages wait.
  std::size_t size();
  /// The waiting message of that id.
  std::optional<Arrival> find_message(std::string_view activity_id);
  /// False if there was no such message.
  bool remove(std::string_view activity_id);
  /// As `remove`, unless another session has the message.
  MessageStore::Popped pop(std::string_view activity_id);
  /// The agent has been shown these by a look into the inbox (`Leases::show`).
  void show(const std::vector<Arrival>& arrivals);
  /// What this session has, the beginnings of the texts only.
  Open open(std::size_t limit);
  /// The ids of what this session was told of and another one has taken over, each once. Never
  /// throws: what cannot be read now is told later.
  std::vector<std::string> lost() noexcept;
  /// The most urgent message that this session was not given yet, leased to it: answers to its
  /// tasks, then users', then peers', each oldest first. Consumes nothing.
  std::optional<Arrival> take();
  /// Renews the leases of this session. Never throws: a lease that could not be renewed lasts
  /// for several tries.
  void renew_leases() noexcept;
  /// Why no messages arrive: a line for each workspace that is not in use; empty if all are.
  std::string out_of_use() const;
  bool any_in_use() const;
  /// What fails now, a line for each workspace in use that is in trouble: what, since when, and
  /// what to do. Empty if nothing fails.
  std::string troubles();
  /// Like `take`, as soon as there is a message; empty once no workspace is in use, or at
  /// `deadline`, or up to `Timing::store_patience` after it while another process writes.
  awaitable<std::optional<Arrival>> wait_until(Clock::time_point deadline);

 private:
  Arrival arrival(Workspace& workspace, Message message) const;
  std::optional<Arrival> next();
  std::optional<Arrival> take_unless_busy(bool& busy);
  awaitable<void> start_others();
  awaitable<void> release_memory();
  void each_inbox(const std::function<bool(Workspace& workspace)>& look);

  const Timing& timing_;
  Clock& clock_;
  Event changed_;
  FileWatcher watcher_;
  std::deque<Workspace> workspaces_;
};

}  // namespace molecule::workspace

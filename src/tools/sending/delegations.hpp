#pragma once

#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "base/async/event.hpp"
#include "tools/inbox/message_ids.hpp"
#include "tools/tools.hpp"

namespace molecule::tools {

/// The tasks that `delegate_task` has under way. One goes on when its call is cancelled, since
/// hosts cancel calls after some seconds while the peer is still at work: its answer comes to the
/// inbox then. The same call again within `Timing::same_message` is the same task: it waits for the
/// one under way, or returns its answer.
class Delegations {
 public:
  struct Task {
    Task(Clock& clock, workspace::Workspace& from, std::string to, std::string content)
        : workspace(from), peer(std::move(to)), text(std::move(content)), ended(clock) {}

    workspace::Workspace& workspace;
    std::string peer;
    std::string text;
    /// Also the task's id, by which a later answer names it.
    std::string message_id = {};
    std::optional<platform::Outcome<platform::A2aReply>> outcome = std::nullopt;
    /// Once it is over, its answer in the inbox if nobody waited for it.
    bool done = false;
    /// What `outcome` is missing for: the waiting call throws it.
    std::exception_ptr failure = nullptr;
    Clock::time_point ended_at = {};
    Event ended;
    /// The call that waits for it; null: none.
    mcp::Call* caller = nullptr;
    /// No call waits for it, or only one that is cancelled and has not ended yet.
    bool is_left() const { return caller == nullptr || caller->cancelled(); }
    /// The inbox has the answer as this message; empty: not.
    std::string activity_id = {};

    /// The peer has answered, if only that it failed.
    bool has_answer() const { return outcome && *outcome && !(*outcome)->queued; }
    /// An answer may still come to the inbox.
    bool may_be_answered() const;
    /// More than one result can show: the agent gets the rest from the inbox.
    bool answer_is_long() const;
  };

  explicit Delegations(Services& services)
      : services_(services), ids_(services.clock, services.config.timing.same_message) {}

  /// The task that a cancelled call left, or a new one.
  static std::shared_ptr<Task> find_or_start(std::shared_ptr<Delegations> self,
                                             workspace::Workspace& workspace, std::string peer,
                                             std::string text, std::string tool_use_id);
  /// The call that waited was cancelled and ends: the task's answer, if it has one that nobody was
  /// given, goes to the inbox.
  void abandoned(const std::shared_ptr<Task>& task);
  /// The call has its outcome: the same call is another task from now on.
  void finish(const std::shared_ptr<Task>& task) { tasks_.remove(task); }

 private:
  static awaitable<void> run(std::shared_ptr<Delegations> self, std::shared_ptr<Task> task,
                             std::string tool_use_id);
  static awaitable<void> send(std::shared_ptr<Delegations> self, std::shared_ptr<Task> task,
                              std::string tool_use_id);
  std::shared_ptr<Task> left(const workspace::Workspace& workspace, const std::string& peer,
                             const std::string& text);

  Services& services_;
  MessageIds ids_;
  std::list<std::shared_ptr<Task>> tasks_;
};

}  // namespace molecule::tools

#pragma once

#include <memory>
#include <string>

#include "base/child/child.hpp"
#include "daemon/config/settings.hpp"
#include "daemon/loop_guard.hpp"
#include "daemon/runners/runner.hpp"
#include "net/http_client.hpp"
#include "workspace/workspaces.hpp"

namespace molecule::daemon {

/// What the daemon's parts share; it outlives them.
struct Services {
  Clock& clock;
  const workspace::Config& config;
  workspace::Workspaces& workspaces;
  net::HttpClient& http;
  TaskGroup& tasks;
  Children& children;
};

/// A message that is to be answered by a handler.
struct Job {
  workspace::Workspace* workspace = nullptr;
  workspace::HandlerTurns::Candidate candidate;
  workspace::Message message;
  HandlerSettings settings;
  std::string conversation;
  /// What the loop guard says of it.
  Verdict verdict;
};

/// Turns: a message to a handler, its answer to the sender, and the message out of the inbox. A
/// crash at any point repeats the turn at most, and never the answer (docs/spec/daemon.md 3).
class Turns {
 public:
  explicit Turns(Services services) : services_(services) {}

  /// One turn, or what is left of it after a crash.
  awaitable<void> handle(std::shared_ptr<Job> job);
  /// Tells the person of this side that a pair of agents is paused.
  awaitable<void> tell_of_pause(std::shared_ptr<Job> job);

 private:
  awaitable<TurnResult> run(std::shared_ptr<Job> job, workspace::Workload::Task& working);
  awaitable<TurnResult> run_program(std::shared_ptr<Job> job, std::shared_ptr<Turn> turn,
                                    workspace::Workload::Task& working);
  awaitable<TurnResult> run_webhook(std::shared_ptr<Job> job, std::shared_ptr<Turn> turn,
                                    workspace::Workload::Task& working);
  awaitable<void> keep_busy(workspace::Workspace& workspace, workspace::Workload::Task& working,
                            std::string what, std::shared_ptr<Runner> runner);
  awaitable<void> send_answer(std::shared_ptr<Job> job, std::string text);
  awaitable<void> try_later(std::shared_ptr<Job> job, std::string reason);
  awaitable<void> give_up(std::shared_ptr<Job> job, std::string reason);
  awaitable<bool> tell_sender(std::shared_ptr<Job> job);
  awaitable<void> remove(std::shared_ptr<Job> job);
  bool waits(const Job& job) const;

  Services services_;
};

}  // namespace molecule::daemon

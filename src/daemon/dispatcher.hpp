#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "daemon/config/settings.hpp"
#include "daemon/turns.hpp"

namespace molecule::daemon {

/// Gives the messages of all workspaces to their handlers: conversations side by side, one turn at
/// a time in each, in the order of `by_urgency`. It is one session among others: what hosts wait
/// for or were told of is left to them (docs/spec/delivery.md).
class Dispatcher {
 public:
  Dispatcher(Services services, Settings settings);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  /// Ends by cancellation only.
  awaitable<void> run();
  /// For turns that begin from now on.
  void configure(Settings settings);
  /// No more turns begin.
  void begin_stop();
  std::size_t running() const { return running_.size(); }
  /// The longest that running turns may take at the end.
  std::chrono::seconds stop_grace() const { return settings_.base().stop_grace; }
  /// In a few words, for people.
  std::string status() const;
  /// Wakes when a turn has begun or ended.
  Event& changed() { return changed_; }

 private:
  using Candidate = workspace::HandlerTurns::Candidate;
  /// Until when nothing is due, as far as is known.
  using Next = std::optional<Clock::time_point>;

  void end_orphans(workspace::Workspace& workspace);
  Next look();
  Next look_at(workspace::Workspace& workspace);
  bool is_free(workspace::Workspace& workspace, const Candidate& candidate, Next& next);
  Next begin(workspace::Workspace& workspace, const Candidate& candidate);
  std::optional<WallTime> over_budget(workspace::Workspace& workspace,
                                      const HandlerSettings& settings);
  Verdict guard(workspace::Workspace& workspace, const workspace::Message& message);
  void set_aside(std::shared_ptr<Job> job);
  awaitable<void> turn(std::shared_ptr<Job> job);
  void soonest(Next& next, WallTime time) const;

  Services services_;
  Settings settings_;
  bool any_handler_ = false;
  Turns turns_;
  Event changed_;
  /// Activity ids, and the conversations of the turns that run.
  std::map<std::string, std::string> running_;
  std::set<std::string> busy_;
  /// Senders whose messages have no handler, within one look.
  std::set<std::string> unhandled_;
  /// Since when a message has been left to other sessions.
  std::map<std::string, Clock::time_point> left_;
  std::size_t waiting_ = 0;
  bool stopping_ = false;
  /// The workspaces whose budget is used up.
  std::set<std::string> over_budget_;
  bool orphans_ended_ = false;
};

}  // namespace molecule::daemon

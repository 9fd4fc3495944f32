#include "daemon/dispatcher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/child/spawn.hpp"
#include "base/json/reader.hpp"
#include "base/log.hpp"
#include "base/text/text.hpp"
#include "daemon/conversations.hpp"

namespace molecule::daemon {

namespace {

using workspace::delivery::Event;
using workspace::delivery::State;
using workspace::delivery::Step;

std::string agent_name(const workspace::WorkspaceConfig& workspace) {
  json::Document document;
  const auto card = document.parse(workspace.agent_card);
  return card ? std::string((*card)["name"].string_or("")) : std::string();
}

}  // namespace

Dispatcher::Dispatcher(Services services, Settings settings)
    : services_(services),
      settings_(std::move(settings)),
      any_handler_(settings_.any_handler()),
      turns_(services),
      changed_(services.clock) {}

void Dispatcher::configure(Settings settings) {
  settings_ = std::move(settings);
  any_handler_ = settings_.any_handler();
  services_.workspaces.changed().notify_all();
}

void Dispatcher::begin_stop() {
  stopping_ = true;
}

std::string Dispatcher::status() const {
  return fmt::format("{} turn{} running, {} message{} waiting{}", running_.size(),
                     running_.size() == 1 ? "" : "s", waiting_, waiting_ == 1 ? "" : "s",
                     over_budget_.empty() ? "" : ", the budget is used up");
}

void Dispatcher::soonest(Next& next, WallTime time) const {
  const auto pause = std::max<WallTime::duration>(time - services_.clock.wall(), {});
  const Clock::time_point due =
      services_.clock.now() + std::chrono::duration_cast<Clock::duration>(pause);
  next = next ? std::min(*next, due) : due;
}

awaitable<void> Dispatcher::run() {
  workspace::Workspaces& workspaces = services_.workspaces;
  while (true) {
    Next next;
    try {
      next = look();
    } catch (const workspace::StoreError& error) {
      log::debug("inbox: {}", error.what());
      next = services_.clock.now() + services_.config.timing.push_retry;
    }
    if (next) {
      [[maybe_unused]] auto notified = co_await workspaces.changed().wait_until(*next);
    } else {
      co_await workspaces.changed().wait();
    }
  }
}

/// What an earlier daemon left running would work on messages that are given out again.
void Dispatcher::end_orphans(workspace::Workspace& workspace) {
  for (const auto& one : workspace.inbox.turns.take_orphans()) {
    const int ended = molecule::end_orphans(
        {.process = static_cast<pid_t>(one.process), .started = one.started, .mark = one.mark});
    if (ended > 0) {
      log::warning("{} processes of a handler that an earlier daemon left were ended", ended);
    }
  }
}

Dispatcher::Next Dispatcher::look() {
  Next next;
  waiting_ = 0;
  if (stopping_ || !any_handler_) return next;
  for (workspace::Workspace& workspace : services_.workspaces) {
    if (!workspace.in_use()) continue;
    if (!orphans_ended_) end_orphans(workspace);
    const Next here = look_at(workspace);
    if (here) next = next ? std::min(*next, *here) : *here;
  }
  orphans_ended_ = true;
  changed_.notify_all();
  return next;
}

Dispatcher::Next Dispatcher::look_at(workspace::Workspace& workspace) {
  Next next;
  const auto limit = static_cast<std::size_t>(settings_.base().max_parallel);
  // A sender may have a budget of its own: the others' messages go on.
  std::set<std::string> spent;
  unhandled_.clear();
  const std::vector<Candidate> candidates = workspace.inbox.turns.candidates();
  for (const Candidate& candidate : candidates) {
    if (running_.contains(candidate.activity_id)) continue;
    ++waiting_;
    if (candidate.next_try > services_.clock.wall()) {
      soonest(next, candidate.next_try);
      continue;
    }
    if (running_.size() >= limit || spent.contains(candidate.peer_id)) continue;
    // Of a long queue only what may begin is read.
    const bool busy = busy_.contains(workspace.id() + ' ' + conversation_of(candidate, {}));
    if (busy || unhandled_.contains(candidate.peer_id)) continue;
    if (!is_free(workspace, candidate, next)) continue;
    const Next budget = begin(workspace, candidate);
    if (!budget) continue;
    spent.insert(candidate.peer_id);
    next = next ? std::min(*next, *budget) : *budget;
  }
  if (spent.empty()) {
    over_budget_.erase(workspace.id());
  } else if (over_budget_.insert(workspace.id()).second) {
    log::info("the budget of turns of workspace {} is used up for now", workspace.id());
  }
  std::erase_if(left_, [&candidates](const auto& one) {
    return std::ranges::none_of(candidates, [&one](const Candidate& candidate) {
      return candidate.activity_id == one.first;
    });
  });
  return next;
}

/// False if another session has the message, or may take it.
bool Dispatcher::is_free(workspace::Workspace& workspace, const Candidate& candidate, Next& next) {
  const workspace::Timing& timing = services_.config.timing;
  const Clock::time_point now = services_.clock.now();
  const auto later = [&next](Clock::time_point when) {
    next = next ? std::min(*next, when) : when;
  };
  if (candidate.state == State::open_here) return true;
  const Step step = workspace::delivery::next(candidate.state, Event::wait, false);
  if (step != Step::give) {
    // What others have comes free with time alone.
    later(now + timing.owner_check);
    return false;
  }
  if (candidate.state != State::free || !workspace.inbox.sessions.others()) return true;
  const auto since = left_.try_emplace(candidate.activity_id, now).first->second;
  const Clock::time_point mine = since + timing.push_hold;
  if (now >= mine) return true;
  later(mine);
  return false;
}

std::optional<WallTime> Dispatcher::over_budget(workspace::Workspace& workspace,
                                                const HandlerSettings& settings) {
  using std::chrono::hours;
  using std::chrono::minutes;
  workspace::HandlerTurns& turns = workspace.inbox.turns;
  const WallTime now = services_.clock.wall();
  const WallTime hour_ago = now - hours(1);
  if (settings.max_turns_per_hour > 0 &&
      turns.turns_since(hour_ago) >= settings.max_turns_per_hour) {
    return turns.first_turn_since(hour_ago).value_or(now) + hours(1);
  }
  const auto dollars = static_cast<double>(turns.cost_since(now - hours(24))) / 1e6;
  if (settings.max_cost_usd_per_day > 0 && dollars >= settings.max_cost_usd_per_day) {
    return now + minutes(1);
  }
  return std::nullopt;
}

Verdict Dispatcher::guard(workspace::Workspace& workspace, const workspace::Message& message) {
  workspace::HandlerTurns& turns = workspace.inbox.turns;
  const auto pair = turns.pair(message.peer_id);
  const WallTime since = services_.clock.wall() - std::chrono::minutes(pair_minutes);
  const bool new_task = pair.last_task && pair.changed_at && *pair.last_task > *pair.changed_at;
  const Verdict verdict = judge({.hops = message.hops,
                                 .automatic = pair.automatic,
                                 .recent = turns.turns_since(since, message.peer_id),
                                 .paused = pair.paused_at.has_value(),
                                 .new_task = new_task});
  const bool paused = verdict.pause || (!verdict.go && pair.paused_at);
  turns.keep_pair(
      message.peer_id, verdict.automatic,
      paused ? std::optional(pair.paused_at.value_or(services_.clock.wall())) : std::nullopt);
  return verdict;
}

/// Starts the message's turn if there is one for it. Returns when to look again, if the budget is
/// used up.
Dispatcher::Next Dispatcher::begin(workspace::Workspace& workspace, const Candidate& candidate) {
  auto found = workspace.inbox.messages.find(candidate.activity_id);
  if (!found) return std::nullopt;
  auto job = std::make_shared<Job>();
  job->workspace = &workspace;
  job->candidate = candidate;
  job->message = std::move(*found);
  workspace.complete(job->message);
  job->settings = settings_.resolve(workspace.id(), agent_name(workspace.config()),
                                    candidate.peer_id, job->message.peer_name);
  if (job->settings.kind == Kind::none) {
    unhandled_.insert(candidate.peer_id);
    return std::nullopt;
  }
  job->conversation = conversation_of(candidate, job->settings);
  const std::string busy = workspace.id() + ' ' + job->conversation;
  if (busy_.contains(busy)) return std::nullopt;
  const bool fresh = candidate.tries == 0 && !candidate.has_answer;
  Next next;
  if (!candidate.has_answer) {
    if (const auto when = over_budget(workspace, job->settings)) {
      soonest(next, *when);
      return next;
    }
  }
  if (!workspace.inbox.turns.take(candidate)) return std::nullopt;
  workspace.hand_out(job->message);
  if (candidate.kind == "delegation_result" && !candidate.awaited) {
    job->verdict = {.go = false, .reason = "no task of this workspace waits for this answer"};
  } else if (candidate.peer_id.empty()) {
    if (candidate.kind == "canvas_user") workspace.inbox.turns.forget_pairs();
  } else if (fresh) {
    job->verdict = guard(workspace, job->message);
  }
  if (!job->verdict.go) {
    set_aside(std::move(job));
    return std::nullopt;
  }
  running_.emplace(candidate.activity_id, busy);
  busy_.insert(busy);
  --waiting_;
  services_.tasks.spawn("turn", turn(std::move(job)));
  return std::nullopt;
}

void Dispatcher::set_aside(std::shared_ptr<Job> job) {
  workspace::HandlerTurns& turns = job->workspace->inbox.turns;
  log::info("message {} starts no turn: {}", job->candidate.activity_id, job->verdict.reason);
  turns.set_aside(job->candidate.activity_id, job->verdict.reason);
  turns.give_back(job->candidate.activity_id);
  if (job->verdict.pause) {
    services_.tasks.spawn("pause", turns_.tell_of_pause(std::move(job)));
  }
}

awaitable<void> Dispatcher::turn(std::shared_ptr<Job> job) {
  co_await turns_.handle(job);
  const std::string id = job->candidate.activity_id;
  busy_.erase(running_[id]);
  running_.erase(id);
  try {
    job->workspace->inbox.turns.give_back(id);
  } catch (const workspace::StoreError& error) {
    // The lease ends with this session, or by time.
    log::debug("inbox: {}", error.what());
  }
  services_.workspaces.changed().notify_all();
  changed_.notify_all();
}

}  // namespace molecule::daemon

#include "workspace/sync/presence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/async/backoff.hpp"
#include "base/async/event.hpp"
#include "base/random.hpp"
#include "workspace/sync/pause.hpp"

namespace molecule::workspace {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds beat_interval{20};
/// What a platform in trouble may ask for: with the time of a try still below the 90 s after
/// which it takes the workspace for gone.
constexpr seconds longest_retry_after{60};
/// So many failed beats fit into those 90 s; after them presence is lost and there is no hurry.
constexpr unsigned hurried_failures = 3;

Clock::duration patience(const platform::Error& error, Clock::duration own) {
  const seconds asked = std::min(error.retry_after.value_or(seconds(0)), longest_retry_after);
  return std::max<Clock::duration>(own, asked);
}

/// 20 s, a little apart from other agents that started together.
Clock::duration next_interval() {
  return duration_cast<Clock::duration>(beat_interval * (0.975 + 0.05 * random_unit()));
}

}  // namespace

Escalation::Say Escalation::rejected() {
  ++count_;
  if (count_ < 3) return Say::warning;
  return (count_ - 3) % 20 == 0 ? Say::error : Say::nothing;
}

class Presence::State {
 public:
  State(platform::Client& client, Ownership& ownership, Credentials& credentials, Removal& removal,
        std::function<Load()> work, Clock& clock, std::function<std::string()> agent_card,
        std::function<void(std::string text)> on_rejected)
      : client_(client),
        ownership_(ownership),
        credentials_(credentials),
        removal_(removal),
        work_(std::move(work)),
        clock_(clock),
        agent_card_(std::move(agent_card)),
        on_rejected_(std::move(on_rejected)),
        started_(clock.now()),
        tried_event_(clock) {}

  awaitable<void> register_workspace() {
    Backoff backoff(seconds(1), seconds(30));
    while (true) {
      co_await ownership_.own();
      std::string card = agent_card_();
      auto outcome = co_await client_.register_workspace(std::move(card));
      if (outcome.ok()) {
        registered(*outcome);
        co_return;
      }
      const platform::Error& error = outcome.error();
      if (is_rejection(error)) {
        if (token_changed()) continue;
        if (!client_.accepted()) {
          on_rejected_(rejection_text(error));
          co_return;
        }
        // It is in the midst of its work: the heartbeats tell it, as loud as it deserves.
      } else {
        log::warning("register: {}; trying again", error.message);
      }
      tried();
      ownership_.status().failed("register: " + error.message);
      const Clock::duration own = backoff.next(random_unit());
      const Clock::time_point again = clock_.now() + patience(error, own);
      co_await sleep_unless_suspended(clock_, again);
    }
  }

  awaitable<void> beat() {
    while (!tried_) co_await tried_event_.wait();
    while (true) {
      co_await ownership_.own();
      const Clock::time_point start = clock_.now();
      platform::HeartbeatRequest beat = current();
      auto outcome = co_await client_.heartbeat(std::move(beat));
      const Clock::duration pause = outcome.ok() ? succeeded(*outcome) : failed(outcome.error());
      if (!outcome.ok() && Removal::suspected(outcome.error(), escalation_.count())) {
        auto removed = co_await removal_.confirmed();
        if (removed) co_return;
      }
      co_await sleep_unless_suspended(clock_, start + pause);
    }
  }

 private:
  void tried() {
    tried_ = true;
    tried_event_.notify_all();
  }

  void registered(const platform::Registration& registration) {
    log::info("workspace {} is registered ({})", workspace(), registration.delivery_mode);
    if (registration.auth_token) {
      keep(credentials_.keep_issued_token(*registration.auth_token), "the issued token");
    }
    keep_secret(registration.inbound_secret);
    tried();
  }

  platform::HeartbeatRequest current() const {
    platform::HeartbeatRequest beat;
    Load load = work_();
    beat.active_tasks = load.active_tasks;
    beat.current_task = std::move(load.current_task);
    beat.uptime_seconds = duration_cast<seconds>(clock_.now() - started_).count();
    return beat;
  }

  Clock::duration succeeded(const platform::HeartbeatReply& reply) {
    escalation_.accepted();
    failures_ = 0;
    slower_.reset();
    ownership_.status().beaten();
    if (trouble_.clear()) log::info("heartbeat: the platform answers again");
    log::info("heartbeat: sent");
    keep_secret(reply.inbound_secret);
    return next_interval();
  }

  Clock::duration failed(const platform::Error& error) {
    ownership_.status().failed("heartbeat: " + error.message);
    if (is_rejection(error)) return rejected(error);
    trouble_.say(fmt::format("heartbeat: {}", error.message));
    const bool hurried = ++failures_ <= hurried_failures;
    return patience(error, hurried ? next_interval() : slower_.next(random_unit()));
  }

  Clock::duration rejected(const platform::Error& error) {
    if (token_changed()) return {};
    switch (escalation_.rejected()) {
      case Escalation::Say::warning:
        log::warning("heartbeat: the platform rejected the token of workspace {} (HTTP {})",
                     workspace(), error.status);
        break;
      case Escalation::Say::error:
        log::error("{}", revoked_text(error));
        break;
      case Escalation::Say::nothing:
        break;
    }
    return next_interval();
  }

  /// A rotated token is tried at once, without a restart.
  bool token_changed() {
    const std::string before = credentials_.token();
    auto reloaded = credentials_.reload();
    if (!reloaded.ok()) credentials_trouble_.say(reloaded.error());
    return credentials_.token() != before;
  }

  void keep_secret(const std::optional<std::string>& secret) {
    // One that was asleep must not undo what the owner of today has written.
    if (secret && ownership_.owns())
      keep(credentials_.keep_inbound_secret(*secret), "the inbound secret");
  }

  /// A secret that cannot be written costs uploads, never the heartbeat.
  void keep(const Result<void, std::string>& kept, std::string_view what) {
    if (!kept.ok()) {
      keeping_trouble_.say(fmt::format("{} could not be kept: {}", what, kept.error()));
    } else {
      keeping_trouble_.clear();
    }
  }

  const std::string& workspace() const { return client_.endpoint().workspace_id; }

  std::string rejection_text(const platform::Error& error) const {
    return fmt::format(
        "the platform rejected register for workspace {} (HTTP {}): the token is invalid for this "
        "workspace. Make a new one in the canvas → Tokens tab, put it into {} and start again",
        workspace(), error.status, credentials_.token_source());
  }

  std::string revoked_text(const platform::Error& error) const {
    return fmt::format(
        "heartbeat: {} rejected in a row (HTTP {}): the token was revoked, probably because "
        "workspace {} was deleted. Regenerate workspace and token from the canvas → Tokens tab "
        "and restart",
        escalation_.count(), error.status, workspace());
  }

  platform::Client& client_;
  Ownership& ownership_;
  Credentials& credentials_;
  Removal& removal_;
  std::function<Load()> work_;
  Clock& clock_;
  std::function<std::string()> agent_card_;
  std::function<void(std::string text)> on_rejected_;
  Clock::time_point started_;
  Event tried_event_;
  bool tried_ = false;
  Escalation escalation_;
  unsigned failures_ = 0;
  Backoff slower_{beat_interval, longest_retry_after};
  LogOnce trouble_;
  LogOnce credentials_trouble_;
  LogOnce keeping_trouble_;
};

Presence::Presence(platform::Client& client, Ownership& ownership, Credentials& credentials,
                   Removal& removal, std::function<Load()> work, Clock& clock,
                   std::function<std::string()> agent_card,
                   std::function<void(std::string text)> on_rejected)
    : state_(std::make_unique<State>(client, ownership, credentials, removal, std::move(work),
                                     clock, std::move(agent_card), std::move(on_rejected))) {}

Presence::~Presence() = default;

awaitable<void> Presence::register_workspace() {
  return state_->register_workspace();
}

awaitable<void> Presence::beat() {
  return state_->beat();
}

}  // namespace molecule::workspace

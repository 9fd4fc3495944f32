#include "workspace/sync/presence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/random.hpp"

namespace molecule::workspace {

namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

/// This many failed heartbeats fit into the 90 s after which the platform declares a workspace
/// offline; after them there is no hurry.
constexpr unsigned hurried_failures = 3;

}  // namespace

Escalation::Say Escalation::rejected() {
  ++count_;
  if (count_ < 3) return Say::warning;
  return (count_ - 3) % 20 == 0 ? Say::error : Say::nothing;
}

Presence::Presence(SyncContext context, std::function<Load()> load,
                   std::function<std::string()> agent_card)
    : context_(context),
      load_(std::move(load)),
      agent_card_(std::move(agent_card)),
      started_(context.clock.now()),
      tried_event_(context.clock),
      slower_(context.timing.heartbeat, context.timing.heartbeat_max_retry) {}

/// Jittered, so that agents that started together do not send together.
Clock::duration Presence::next_interval() const {
  return duration_cast<Clock::duration>(context_.timing.heartbeat * (0.975 + 0.05 * random_unit()));
}

/// `own`, or the platform's `Retry-After` up to a limit, whichever is longer.
Clock::duration Presence::patience(const platform::Error& error, Clock::duration own) const {
  const seconds asked =
      std::min(error.retry_after.value_or(seconds(0)), context_.timing.heartbeat_max_retry);
  return std::max<Clock::duration>(own, asked);
}

awaitable<std::optional<std::string>> Presence::register_workspace() {
  Backoff backoff(context_.timing.register_min_retry, context_.timing.register_max_retry);
  while (true) {
    co_await context_.owner_role.own();
    std::string card = agent_card_();
    auto outcome = co_await context_.client.register_workspace(std::move(card));
    if (outcome.ok()) {
      registered(*outcome);
      co_return std::nullopt;
    }
    const platform::Error& error = outcome.error();
    if (is_rejection(error)) {
      if (token_changed()) continue;
      if (!context_.client.accepted()) {
        co_return rejection_text(error);
      }
      // Already online: let the heartbeat escalation report it.
    } else {
      log::warning("register: {}; trying again", error.message);
    }
    tried();
    note_failure("register: ", error);
    const Clock::duration own = backoff.next(random_unit());
    const Clock::time_point again = context_.clock.now() + patience(error, own);
    co_await sleep_unless_suspended(context_.clock, context_.timing, again);
  }
}

awaitable<void> Presence::send_heartbeats() {
  while (!tried_) co_await tried_event_.wait();
  while (true) {
    co_await context_.owner_role.own();
    const Clock::time_point start = context_.clock.now();
    platform::HeartbeatRequest request = heartbeat();
    auto outcome = co_await context_.client.heartbeat(std::move(request));
    const Clock::duration pause = outcome.ok() ? succeeded(*outcome) : failed(outcome.error());
    if (!outcome.ok() && Removal::suspected(outcome.error(), escalation_.count())) {
      auto removed = co_await context_.removal.confirmed();
      if (removed) co_return;
    }
    co_await sleep_unless_suspended(context_.clock, context_.timing, start + pause);
  }
}

void Presence::note_failure(std::string_view call, const platform::Error& error) {
  const std::string what = std::string(call) + error.message;
  context_.owner_role.status().failed(StatusFile::Part::presence, what, advice(error));
}

void Presence::tried() {
  tried_ = true;
  tried_event_.notify_all();
}

void Presence::registered(const platform::Registration& registration) {
  log::info("workspace {} is registered ({})", workspace(), registration.delivery_mode);
  if (registration.auth_token) {
    keep(context_.credentials.keep_issued_token(*registration.auth_token), "the issued token");
  }
  keep_secret(registration.inbound_secret);
  tried();
}

platform::HeartbeatRequest Presence::heartbeat() const {
  platform::HeartbeatRequest request;
  Load load = load_();
  request.active_tasks = load.active_tasks;
  request.current_task = std::move(load.current_task);
  request.uptime_seconds = duration_cast<seconds>(context_.clock.now() - started_).count();
  return request;
}

Clock::duration Presence::succeeded(const platform::HeartbeatReply& reply) {
  escalation_.accepted();
  failures_ = 0;
  slower_.reset();
  context_.owner_role.status().heartbeat_sent();
  if (platform_log_.clear()) log::info("heartbeat: the platform answers again");
  log::info("heartbeat: sent");
  keep_secret(reply.inbound_secret);
  return next_interval();
}

Clock::duration Presence::failed(const platform::Error& error) {
  note_failure("heartbeat: ", error);
  if (is_rejection(error)) return rejected(error);
  platform_log_.say(fmt::format("heartbeat: {}", error.message));
  const bool hurried = ++failures_ <= hurried_failures;
  return patience(error, hurried ? next_interval() : slower_.next(random_unit()));
}

Clock::duration Presence::rejected(const platform::Error& error) {
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

/// True if the token was rotated: it is tried at once, without a restart.
bool Presence::token_changed() {
  const std::string before = context_.credentials.token();
  auto reloaded = context_.credentials.reload();
  if (!reloaded.ok()) credentials_log_.say(reloaded.error());
  return context_.credentials.token() != before;
}

void Presence::keep_secret(const std::optional<std::string>& secret) {
  // A process that was stopped meanwhile must not undo what the current owner has written.
  if (secret && context_.owner_role.owns())
    keep(context_.credentials.keep_inbound_secret(*secret), "the inbound secret");
}

/// A secret that cannot be written breaks uploads, never the heartbeat.
void Presence::keep(const Result<void, std::string>& kept, std::string_view what) {
  if (!kept.ok()) {
    keeping_log_.say(fmt::format("{} could not be stored: {}", what, kept.error()));
  } else {
    keeping_log_.clear();
  }
}

std::string Presence::rejection_text(const platform::Error& error) const {
  return fmt::format(
      "the platform rejected register for workspace {} (HTTP {}): the token is invalid for this "
      "workspace. Create a new one in the canvas → Tokens tab, store it in {} and restart",
      workspace(), error.status, context_.credentials.token_source());
}

std::string Presence::revoked_text(const platform::Error& error) const {
  return fmt::format(
      "heartbeat: {} rejected in a row (HTTP {}): the token was revoked, probably because "
      "workspace {} was deleted. Regenerate workspace and token from the canvas → Tokens tab "
      "and restart",
      escalation_.count(), error.status, workspace());
}

}  // namespace molecule::workspace

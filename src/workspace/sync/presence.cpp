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

Presence::Presence(SyncContext context, std::function<Load()> load,
                   std::function<std::string()> agent_card, Event& token_refused)
    : context_(context),
      load_(std::move(load)),
      agent_card_(std::move(agent_card)),
      token_refused_(token_refused),
      started_(context.clock.now()),
      tried_event_(context.clock),
      slower_(context.timing.heartbeat, context.timing.heartbeat_max_retry) {}

/// Jittered, so that agents that started together do not send together.
Clock::duration Presence::next_interval() const {
  return duration_cast<Clock::duration>(context_.timing.heartbeat * (0.975 + 0.05 * random_unit()));
}

/// `own`, or what the platform asks for up to a limit, whichever is longer.
Clock::duration Presence::patience(const platform::Error& error, Clock::duration own) const {
  return std::max(own, asked_pause(error, context_.timing.heartbeat_max_retry));
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

awaitable<void> Presence::register_again() {
  while (true) {
    co_await token_refused_.wait();
    co_await context_.owner_role.own();
    std::string card = agent_card_();
    auto outcome = co_await context_.client.register_workspace(std::move(card));
    if (outcome.ok()) {
      registered(*outcome);
    } else {
      log::info("register: {}", outcome.error().message);
    }
  }
}

awaitable<void> Presence::send_heartbeats() {
  while (!tried_) co_await tried_event_.wait();
  while (true) {
    co_await context_.owner_role.own();
    const Clock::time_point start = context_.clock.now();
    platform::HeartbeatRequest request = heartbeat();
    auto outcome = co_await context_.client.heartbeat(std::move(request));
    auto say = Escalation::Say::nothing;
    const bool rejected = !outcome.ok() && is_rejection(outcome.error());
    const bool rotated = rejected && token_changed();
    if (rejected && !rotated) say = escalation_.rejected();
    if (!outcome.ok() && Removal::suspected(outcome.error(), escalation_.count())) {
      auto removed = co_await context_.removal.confirmed();
      if (removed) co_return;
    }
    Clock::duration pause{};
    if (outcome.ok()) {
      pause = succeeded(*outcome);
    } else if (!rotated) {
      pause = failed(outcome.error(), say);
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
  if (registration.auth_token) keep_token(*registration.auth_token);
  keep_secret(registration.inbound_secret);
  tried();
}

/// The platform issues a token only to a workspace that has none, so one that is held is dead.
void Presence::keep_token(const std::string& token) {
  Credentials& credentials = context_.credentials;
  const std::string held = credentials.token();
  const std::string source = credentials.token_source();
  keep(credentials.keep_issued_token(token), "the issued token");
  if (held.empty() || credentials.token() == held) return;
  log::warning(
      "the platform no longer knows the token of {}, and has issued a new one for workspace {}: it "
      "is kept in {} and used from now on",
      source, workspace(), credentials.token_source());
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

Clock::duration Presence::failed(const platform::Error& error, Escalation::Say say) {
  if (is_rejection(error)) {
    report_rejection(error, say);
    return next_interval();
  }
  note_failure("heartbeat: ", error);
  platform_log_.say(fmt::format("heartbeat: {}", error.message));
  const bool hurried = ++failures_ <= hurried_failures;
  return patience(error, hurried ? next_interval() : slower_.next(random_unit()));
}

void Presence::report_rejection(const platform::Error& error, Escalation::Say say) {
  const std::string where = context_.credentials.file_for_token().string();
  context_.owner_role.status().failed(StatusFile::Part::presence, "heartbeat: " + error.message,
                                      context_.removal.rejection_advice(where));
  switch (say) {
    case Escalation::Say::warning:
      log::warning("heartbeat: the platform rejected the token of workspace {} (HTTP {})",
                   workspace(), error.status);
      break;
    case Escalation::Say::error:
      log::error("{}", context_.removal.describe_rejections("heartbeat", error, escalation_.count(),
                                                            where));
      break;
    case Escalation::Say::nothing:
      break;
  }
}

/// True if the token was rotated: it is tried at once, without a restart.
bool Presence::token_changed() {
  const std::string before = context_.credentials.token();
  context_.credentials.refuse(before);
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
      "the platform rejected register for workspace {} ({}): the token is invalid for this "
      "workspace. Create a new one in the canvas → Tokens tab, store it in {}",
      workspace(), error.message, context_.credentials.token_source());
}

}  // namespace molecule::workspace

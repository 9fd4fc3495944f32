#include "workspace/sync/broadcasts.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"
#include "workspace/sync/pause.hpp"

namespace molecule::workspace {

namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

constexpr int page_rows = 100;
constexpr const char* row_type = "broadcast_receive";

}  // namespace

Broadcasts::Broadcasts(SyncContext context) : context_(context), event_(context.clock) {}

void Broadcasts::wake() {
  asked_ = true;
  event_.notify_all();
}

awaitable<void> Broadcasts::run() {
  while (true) {
    co_await context_.owner_role.own();
    const unsigned term = context_.owner_role.term();
    if (std::exchange(term_, term) != term) cursor_.reset();
    asked_ = false;
    const Clock::time_point started = context_.clock.now();
    co_await poll();
    const Clock::time_point deadline = context_.clock.now() + pause_;
    while (context_.clock.now() < deadline && (failing_ || !asked_)) {
      [[maybe_unused]] auto notified = co_await event_.wait_until(deadline);
    }
    // Whoever sends many must not make this workspace ask all the time.
    const Clock::time_point soonest = started + context_.timing.min_poll_interval;
    co_await sleep_until(context_.clock, std::min<Clock::time_point>(soonest, deadline));
  }
}

/// One query and what follows from it.
awaitable<void> Broadcasts::poll() {
  // Jittered, so that agents that started together do not poll together.
  pause_ =
      duration_cast<Clock::duration>(context_.timing.broadcast_poll * (0.95 + 0.1 * random_unit()));
  failing_ = false;
  if (!begin_run()) co_return;
  platform::ActivityQuery query = cursor_->query();
  auto page = co_await context_.client.activity(query);
  // A workspace that was put out of use and back meanwhile has begun another run.
  if (!cursor_) co_return;
  if (page.ok()) {
    take(*page);
  } else {
    failed(page.error(), query);
  }
}

/// Begins a run unless one is under way. False while nothing may be fetched.
bool Broadcasts::begin_run() {
  if (cursor_) return true;
  try {
    if (context_.inbox.messages.full()) return false;
    anchor_ = context_.inbox.poll_state.cursor();
    cursor_.emplace(context_.client.endpoint().workspace_id,
                    context_.inbox.poll_state.broadcast_cursor(), look_back(), page_rows,
                    GatherLimits(), row_type);
    return true;
  } catch (const StoreError& error) {
    log::debug("broadcasts: {}", error.what());
    return false;
  }
}

seconds Broadcasts::look_back() {
  const Timing& timing = context_.timing;
  const auto since = context_.inbox.poll_state.broadcasts_since();
  if (!since) return timing.min_look_back;
  const auto passed = duration_cast<seconds>(context_.clock.wall() - *since);
  return std::clamp(passed + timing.look_back_margin, timing.min_look_back, timing.max_look_back);
}

void Broadcasts::failed(const platform::Error& error, const platform::ActivityQuery& query) {
  cursor_.reset();
  failing_ = true;
  pause_ = std::max(pause_, asked_pause(error, context_.timing.poll_max_retry_after));
  log::debug("broadcasts: {}", error.message);
  if (!refuses_cursor(error, query)) return;
  try {
    context_.inbox.poll_state.forget_broadcast_cursor();
    pause_ = {};
  } catch (const StoreError& failure) {
    log::debug("broadcasts: {}", failure.what());
  } catch (const NotTheOwner&) {
    return;
  }
}

void Broadcasts::take(const platform::ActivityPage& page) {
  PollCursor::Step step = cursor_->take(page);
  const bool gathering = !step.batch && step.next == NextPoll::at_once;
  if (step.next == NextPoll::at_once) pause_ = {};
  if (gathering) return;
  cursor_.reset();
  if (!context_.owner_role.owns() || context_.owner_role.term() != term_) return;
  try {
    store(step.batch);
  } catch (const StoreError& error) {
    failing_ = true;
    pause_ = context_.timing.broadcast_poll;
    log::debug("broadcasts: {}", error.what());
  } catch (const NotTheOwner&) {
    return;
  }
}

void Broadcasts::store(const std::optional<PollCursor::Batch>& batch) {
  Inbox& inbox = context_.inbox;
  if (batch) {
    const std::size_t added =
        inbox.messages.store_broadcasts(batch->messages, batch->cursor, batch->cursor_created);
    if (added > 0) context_.changes.messages_changed();
  } else if (anchor_ && !inbox.poll_state.broadcast_cursor()) {
    inbox.messages.store_broadcasts({}, *anchor_);
  }
}

}  // namespace molecule::workspace

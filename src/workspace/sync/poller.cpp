#include "workspace/sync/poller.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/random.hpp"

namespace molecule::workspace {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int page_rows = 100;
/// The newest rows come first without a cursor, and old platforms cannot page backwards.
constexpr int first_page_rows = 500;

/// The files of the messages, moved out of them: the inbox does not store them.
std::vector<Message> take_files(std::vector<Message>& messages) {
  std::vector<Message> with_files;
  for (Message& message : messages) {
    if (message.attachments.empty()) continue;
    Message& files = with_files.emplace_back();
    files.activity_id = message.activity_id;
    files.attachments = std::move(message.attachments);
  }
  return with_files;
}

}  // namespace

Poller::Poller(SyncContext context, Files& files, Acknowledgements& acknowledgements)
    : context_(context),
      files_(files),
      acknowledgements_(acknowledgements),
      wanted_event_(context.clock),
      max_page_rows_(first_page_rows),
      backoff_(context.timing.poll, context.timing.poll_max_retry) {}

awaitable<void> Poller::run() {
  while (true) {
    co_await context_.owner_role.own();
    // Ownership changed hands: drop the stale run.
    const unsigned term = context_.owner_role.term();
    if (std::exchange(term_, term) != term) cursor_.reset();
    const Clock::time_point started = context_.clock.now();
    // What is announced from here on may be missing in the answer.
    wanted_ = false;
    complete_ = false;
    auto pause = co_await poll();
    if (removed_) co_return;
    co_await rest(started, pause);
  }
}

void Poller::poll_now() {
  wanted_ = true;
  wanted_event_.notify_all();
}

awaitable<void> Poller::rest(Clock::time_point started, Clock::duration pause) {
  Clock& clock = context_.clock;
  const Timing& timing = context_.timing;
  const Clock::duration suspended = clock.suspended();
  Clock::time_point deadline = clock.now() + pause;
  while (clock.now() < deadline && clock.suspended() - suspended <= timing.min_suspension) {
    if (wanted_ && complete_) {
      deadline = std::min<Clock::time_point>(deadline, started + timing.min_poll_interval);
      co_await sleep_until(clock, deadline);
      co_return;
    }
    const Clock::time_point look =
        std::min<Clock::time_point>(deadline, clock.now() + timing.suspend_check);
    [[maybe_unused]] const bool woken = co_await wanted_event_.wait_until(look);
  }
}

/// Jittered, so that agents that started together do not poll together.
Clock::duration Poller::next_interval() const {
  return duration_cast<Clock::duration>(context_.timing.poll * (0.95 + 0.1 * random_unit()));
}

/// One query and what follows from it; returns how long to wait before the next.
awaitable<Clock::duration> Poller::poll() {
  if (!begin_run()) co_return next_interval();
  platform::ActivityQuery query = cursor_->query();
  auto page = co_await context_.client.activity(query);
  if (!page.ok()) {
    const Clock::duration pause = failed(page.error(), query);
    if (Removal::suspected(page.error(), rejections_) && !refuses_cursor(page.error(), query)) {
      removed_ = co_await context_.removal.confirmed();
    }
    co_return pause;
  }
  PollCursor::Step step = cursor_->take(*page);
  std::vector<Upload> uploads;
  std::vector<Message> with_files;
  if (step.batch) {
    uploads = std::move(step.batch->uploads);
    with_files = take_files(step.batch->messages);
  }
  // After every poll: it also retries what failed before.
  auto kept = co_await keep_files(std::move(uploads), std::move(with_files));
  if (!kept) co_return not_stored(kept.error());
  co_return stored(std::move(step));
}

awaitable<Result<void, std::string>> Poller::keep_files(std::vector<Upload> uploads,
                                                        std::vector<Message> with_files) {
  Result<void, std::string> kept;
  try {
    co_await files_.receive(std::move(uploads), std::move(with_files));
  } catch (const StoreError& error) {
    kept = Failure{std::string(error.what())};
  }
  co_return kept;
}

Clock::duration Poller::not_stored(std::string_view why) {
  cursor_.reset();
  report(storage_log_, fmt::format("inbox: messages could not be stored, they stay with the "
                                   "platform for now: {}",
                                   why));
  return next_interval();
}

void Poller::report(LogOnce& log, const std::string& text) {
  context_.owner_role.status().failed(text);
  log.say(text);
}

/// Begins a run unless one is under way. False while nothing may be fetched.
bool Poller::begin_run() {
  if (cursor_) return true;
  try {
    if (context_.inbox.messages.full()) {
      report(full_log_, fmt::format("inbox: {} messages wait to be removed: no more are fetched "
                                    "until some are (the platform keeps them)",
                                    context_.inbox.messages.size()));
      return false;
    }
    full_log_.clear();
    std::optional<std::string> cursor = context_.inbox.poll_state.cursor();
    const int max_rows = cursor ? page_rows : first_page_rows;
    cursor_.emplace(context_.client.endpoint().workspace_id, std::move(cursor), look_back(),
                    std::min(max_rows, max_page_rows_));
    return true;
  } catch (const StoreError& error) {
    report(storage_log_, fmt::format("inbox: {}; trying again", error.what()));
    return false;
  }
}

/// How far a poll without a cursor looks back, so that it misses no row.
seconds Poller::look_back() {
  const Timing& timing = context_.timing;
  const auto since = context_.inbox.poll_state.watched_since();
  if (!since) return timing.min_look_back;
  const auto watched = duration_cast<seconds>(context_.clock.wall() - *since);
  return std::clamp(watched + timing.look_back_margin, timing.min_look_back, timing.max_look_back);
}

Clock::duration Poller::stored(PollCursor::Step step) {
  if (platform_log_.clear()) log::info("inbox: the platform answers again");
  backoff_.reset();
  rejections_ = 0;
  max_page_rows_ = std::min(max_page_rows_ * 2, first_page_rows);
  if (step.malformed > 0) {
    malformed_log_.say(fmt::format(
        "inbox: {} rows of the platform have no valid id and are skipped", step.malformed));
  }
  const bool gathering = !step.batch && step.next == NextPoll::at_once;
  if (gathering) return {};
  // Whatever happens to the rows now, the next query starts from the cursor that was stored.
  cursor_.reset();
  // A replaced inbox has a cursor of its own, so what followed the old one's is fetched again.
  if (!context_.owner_role.owns() || context_.owner_role.term() != term_) return {};
  try {
    store(step.batch);
  } catch (const StoreError& error) {
    return not_stored(error.what());
  } catch (const NotTheOwner&) {
    return {};
  }
  if (storage_log_.clear()) log::info("inbox: messages can be stored again");
  if (step.next == NextPoll::at_once) return {};
  complete_ = true;
  last_poll_ = context_.clock.wall();
  acknowledgements_.polled();
  return next_interval();
}

void Poller::store(const std::optional<PollCursor::Batch>& batch) {
  Inbox& inbox = context_.inbox;
  if (batch) {
    const std::size_t added = inbox.messages.store(batch->messages, batch->cursor, batch->sequence,
                                                   batch->cursor_created);
    if (added > 0) context_.changes.messages_changed();
  } else if (!inbox.poll_state.cursor() && !inbox.poll_state.watched_since()) {
    inbox.poll_state.watch_since(context_.clock.wall());
  }
  // After the commit: the other processes read the inbox when this is written.
  context_.owner_role.status().polled();
}

Clock::duration Poller::failed(const platform::Error& error, const platform::ActivityQuery& query) {
  cursor_.reset();
  if (refuses_cursor(error, query)) return drop_cursor();
  const bool too_much =
      error.code == platform::Errc::too_large || error.code == platform::Errc::timeout;
  if (too_much) max_page_rows_ = std::max(1, std::min(max_page_rows_, query.limit) / 4);
  if (error.code == platform::Errc::unauthorized) reload_token();
  if (is_rejection(error)) ++rejections_;
  report(platform_log_, fmt::format("inbox: {}", error.message));
  const milliseconds own = backoff_.next(random_unit());
  const seconds asked = error.retry_after.value_or(seconds(0));
  return std::max<Clock::duration>(own, std::min(asked, context_.timing.poll_max_retry_after));
}

Clock::duration Poller::drop_cursor() {
  try {
    context_.inbox.poll_state.forget_cursor(last_poll_);
    log::warning(
        "inbox: the platform no longer knows the cursor: reading the last {} minutes again",
        duration_cast<std::chrono::minutes>(look_back()).count());
  } catch (const StoreError& error) {
    report(storage_log_, fmt::format("inbox: {}; trying again", error.what()));
  } catch (const NotTheOwner&) {
    return {};
  }
  return next_interval();
}

void Poller::reload_token() {
  if (auto reloaded = context_.credentials.reload(); !reloaded.ok()) {
    token_log_.say(fmt::format("inbox: {}", reloaded.error()));
  }
}

}  // namespace molecule::workspace

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

constexpr std::string_view storage_advice =
    "Free space on the disk, or check the state folder; the platform keeps the messages meanwhile.";
constexpr std::string_view full_advice = "Answer the messages, or remove what needs no answer.";

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

Poller::Poller(SyncContext context, Files& files, Acknowledgements& acknowledgements,
               Event& token_refused)
    : context_(context),
      files_(files),
      acknowledgements_(acknowledgements),
      token_refused_(token_refused),
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
    auto pause = co_await refused(page.error(), std::move(query));
    co_return pause;
  }
  // A workspace that was put out of use and back meanwhile has begun another run.
  if (!cursor_) co_return next_interval();
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
  const bool nothing = !step.batch && !query.since_id && step.next == NextPoll::after_interval;
  const Clock::duration pause = stored(std::move(step));
  if (nothing) co_await find_anchor();
  co_return pause;
}

/// Without a cursor, a platform that cannot page backwards shows only the newest of the messages
/// that come while this program is away. Any row of the workspace serves as one.
awaitable<void> Poller::find_anchor() {
  const bool soon = anchor_asked_ + context_.timing.anchor > context_.clock.now();
  if (anchor_asked_ != Clock::time_point::min() && soon) co_return;
  anchor_asked_ = context_.clock.now();
  platform::ActivityQuery query;
  query.type.clear();
  query.limit = 1;
  auto page = co_await context_.client.activity(std::move(query));
  if (!page.ok() || page->rows.size() != 1) co_return;
  Row row = read_row(page->rows.front(), context_.client.endpoint().workspace_id);
  if (!row.id.empty()) anchor_ = std::move(row);
}

awaitable<Clock::duration> Poller::refused(platform::Error error, platform::ActivityQuery query) {
  auto say = Escalation::Say::nothing;
  const bool rejection = is_rejection(error);
  if (rejection) say = escalation_.rejected();
  if (Removal::suspected(error, escalation_.count()) && !refuses_cursor(error, query)) {
    removed_ = co_await context_.removal.confirmed();
    if (removed_) co_return Clock::duration();
  }
  if (rejection) {
    reload_token();
    rejected(error, say);
  }
  co_return failed(error, query);
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
  report(storage_log_,
         fmt::format("inbox: messages could not be stored, they stay with the "
                     "platform for now: {}",
                     why),
         storage_advice);
  return next_interval();
}

void Poller::report(LogOnce& log, const std::string& text, std::string_view next) {
  context_.owner_role.status().failed(StatusFile::Part::inbox, text, next);
  log.say(text);
}

/// Begins a run unless one is under way. False while nothing may be fetched.
bool Poller::begin_run() {
  if (cursor_) return true;
  try {
    if (context_.inbox.messages.full()) {
      report(full_log_,
             fmt::format("inbox: {} messages wait to be removed: no more are fetched "
                         "until some are (the platform keeps them)",
                         context_.inbox.messages.size()),
             full_advice);
      return false;
    }
    full_log_.clear();
    std::optional<std::string> cursor = context_.inbox.poll_state.cursor();
    if (cursor) anchor_.reset();
    const int max_rows = cursor ? page_rows : first_page_rows;
    cursor_.emplace(context_.client.endpoint().workspace_id, std::move(cursor), look_back(),
                    std::min(max_rows, max_page_rows_));
    return true;
  } catch (const StoreError& error) {
    report(storage_log_, fmt::format("inbox: {}; trying again", error.what()), storage_advice);
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
  escalation_.accepted();
  max_page_rows_ = std::min(max_page_rows_ * 2, first_page_rows);
  if (step.malformed > 0) {
    malformed_log_.say(fmt::format(
        "inbox: {} rows of the platform have no valid id and are skipped", step.malformed));
  }
  if (step.left_behind) {
    left_behind_log_.say(
        "inbox: more messages waited than this platform shows without a cursor: older ones may "
        "have been left behind (the canvas shows them)");
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
  bool news = false;
  if (batch) {
    const std::size_t added = inbox.messages.store(batch->messages, batch->cursor, batch->sequence,
                                                   batch->cursor_created);
    news = added > 0;
    if (news) context_.changes.messages_changed();
  } else if (!inbox.poll_state.cursor()) {
    if (!inbox.poll_state.watched_since()) inbox.poll_state.watch_since(context_.clock.wall());
    if (const auto anchor = std::exchange(anchor_, std::nullopt)) {
      inbox.messages.store({}, anchor->id, 0, parse_rfc3339(anchor->created_at));
    }
  }
  // After the commit: the other processes read the inbox when this is written.
  context_.owner_role.status().polled(news);
}

Clock::duration Poller::failed(const platform::Error& error, const platform::ActivityQuery& query) {
  cursor_.reset();
  if (refuses_cursor(error, query)) return drop_cursor();
  const bool too_much =
      error.code == platform::Errc::too_large || error.code == platform::Errc::timeout;
  if (too_much) max_page_rows_ = std::max(1, std::min(max_page_rows_, query.limit) / 4);
  if (!is_rejection(error)) {
    report(platform_log_, fmt::format("inbox: {}", error.message), advice(error));
  }
  const milliseconds own = backoff_.next(random_unit());
  return std::max<Clock::duration>(own, asked_pause(error, context_.timing.poll_max_retry_after));
}

/// A token that is refused here may still be good enough for heartbeats (platform-api.md 0.4): then
/// nothing else would say that no message arrives.
void Poller::rejected(const platform::Error& error, Escalation::Say say) {
  const std::string where = context_.credentials.file_for_token().string();
  context_.owner_role.status().failed(StatusFile::Part::inbox,
                                      fmt::format("inbox: {}", error.message),
                                      context_.removal.rejection_advice(where));
  if (say == Escalation::Say::warning) {
    log::warning("inbox: the platform rejected the token of workspace {} (HTTP {})",
                 context_.client.endpoint().workspace_id, error.status);
  } else if (say == Escalation::Say::error) {
    log::error("{}; no messages arrive",
               context_.removal.describe_rejections("inbox", error, escalation_.count(), where));
    token_refused_.notify_all();
  }
}

Clock::duration Poller::drop_cursor() {
  try {
    context_.inbox.poll_state.forget_cursor(last_poll_);
    log::warning(
        "inbox: the platform no longer knows the cursor: reading the last {} minutes again",
        duration_cast<std::chrono::minutes>(look_back()).count());
  } catch (const StoreError& error) {
    report(storage_log_, fmt::format("inbox: {}; trying again", error.what()), storage_advice);
  } catch (const NotTheOwner&) {
    return {};
  }
  return next_interval();
}

void Poller::reload_token() {
  context_.credentials.refuse(context_.credentials.token());
  if (auto reloaded = context_.credentials.reload(); !reloaded.ok()) {
    token_log_.say(fmt::format("inbox: {}", reloaded.error()));
  }
}

}  // namespace molecule::workspace

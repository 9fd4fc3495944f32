#include "workspace/sync/poller.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/async/backoff.hpp"
#include "base/random.hpp"
#include "workspace/sync/pause.hpp"

namespace molecule::workspace {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds interval{5};
constexpr seconds slowest{30};
/// A platform may ask for more patience than our own; not for silence.
constexpr seconds longest_retry_after{300};
constexpr seconds first_look_back{600};
/// The platform caps `since_secs` there (platform-api.md 4.1).
constexpr seconds longest_look_back{2'592'000};
constexpr int page_rows = 100;
/// The newest rows come first without a cursor, and old platforms cannot page backwards.
constexpr int first_page_rows = 500;

/// 5 s, a little apart from other agents that started together.
Clock::duration next_interval() {
  return duration_cast<Clock::duration>(interval * (0.95 + 0.1 * random_unit()));
}

}  // namespace

class Poller::State {
 public:
  State(platform::Client& client, Inbox& inbox, Ownership& ownership, Credentials& credentials,
        Removal& removal, Clock& clock)
      : client_(client),
        inbox_(inbox),
        ownership_(ownership),
        credentials_(credentials),
        removal_(removal),
        clock_(clock) {}

  void receive_with(Files& files) { files_ = &files; }
  void acknowledge_with(Acknowledgements& acknowledgements) {
    acknowledgements_ = &acknowledgements;
  }

  awaitable<void> run() {
    while (true) {
      co_await ownership_.own();
      // What another owner has stored meanwhile is not in a pass of before.
      if (std::exchange(term_, ownership_.term()) != ownership_.term()) pass_.reset();
      auto pause = co_await poll();
      if (removed_) co_return;
      const Clock::time_point deadline = clock_.now() + pause;
      co_await sleep_unless_suspended(clock_, deadline);
    }
  }

 private:
  /// One query and what follows from it; gives how long to wait before the next.
  awaitable<Clock::duration> poll() {
    if (!begin_pass()) co_return next_interval();
    platform::ActivityQuery query = pass_->query();
    auto page = co_await client_.activity(query);
    if (!page.ok()) {
      const Clock::duration pause = failed(page.error(), query);
      if (Removal::suspected(page.error(), rejections_) && !refuses_cursor(page.error(), query)) {
        removed_ = co_await removal_.confirmed();
      }
      co_return pause;
    }
    PollCursor::Step step = pass_->take(*page);
    auto kept = co_await keep_files(step.batch.value_or(PollCursor::Batch()));
    if (!kept) co_return not_stored(kept.error());
    co_return stored(std::move(step));
  }

  /// Uploads, and the messages that have files, so that these come with them.
  awaitable<Result<void, std::string>> keep_files(PollCursor::Batch batch) {
    Result<void, std::string> kept;
    if (files_ == nullptr) co_return kept;
    std::erase_if(batch.messages,
                  [](const Message& message) { return message.attachments.empty(); });
    try {
      co_await files_->receive(std::move(batch.uploads), std::move(batch.messages));
    } catch (const sqlite::Error& error) {
      kept = Failure{std::string(error.what())};
    }
    co_return kept;
  }

  Clock::duration not_stored(std::string_view why) {
    pass_.reset();
    trouble(storage_, fmt::format("inbox: messages could not be stored, they stay with the "
                                  "platform for now: {}",
                                  why));
    return next_interval();
  }

  void trouble(LogOnce& trouble_log, const std::string& text) {
    ownership_.status().failed(text);
    trouble_log.say(text);
  }

  /// Makes sure that there is a pass; false while nothing may be fetched.
  bool begin_pass() {
    if (pass_) return true;
    try {
      if (inbox_.full()) {
        trouble(overfull_,
                fmt::format("inbox: {} messages wait to be popped: no more are fetched until "
                            "some are (the platform keeps them)",
                            inbox_.size()));
        return false;
      }
      overfull_.clear();
      std::optional<std::string> cursor = inbox_.cursor();
      const int most = cursor ? page_rows : first_page_rows;
      pass_.emplace(client_.endpoint().workspace_id, std::move(cursor), look_back(),
                    std::min(most, largest_page_));
      return true;
    } catch (const sqlite::Error& error) {
      trouble(storage_, fmt::format("inbox: {}; trying again", error.what()));
      return false;
    }
  }

  /// How far a poll without a cursor looks back: to where no row can have been missed.
  seconds look_back() {
    const auto since = inbox_.watched_since();
    if (!since) return first_look_back;
    const auto watched = duration_cast<seconds>(clock_.wall() - *since);
    return std::clamp(watched + seconds(60), first_look_back, longest_look_back);
  }

  Clock::duration stored(PollCursor::Step step) {
    if (platform_.clear()) log::info("inbox: the platform answers again");
    backoff_.reset();
    rejections_ = 0;
    largest_page_ = std::min(largest_page_ * 2, first_page_rows);
    if (step.malformed > 0) {
      malformed_.say(
          fmt::format("inbox: {} rows of the platform have no valid id and are passed "
                      "over",
                      step.malformed));
    }
    const bool gathering = !step.batch && step.next == NextPoll::at_once;
    if (gathering) return {};
    // Whatever happens to the rows now, the next query starts from the cursor that was stored.
    pass_.reset();
    try {
      store(std::move(step.batch));
    } catch (const sqlite::Error& error) {
      return not_stored(error.what());
    } catch (const Inbox::NotTheOwner&) {
      return {};
    }
    if (storage_.clear()) log::info("inbox: messages can be stored again");
    if (step.next == NextPoll::at_once) return {};
    last_poll_ = clock_.wall();
    if (acknowledgements_ != nullptr) acknowledgements_->polled();
    return next_interval();
  }

  void store(std::optional<PollCursor::Batch> batch) {
    if (batch) {
      inbox_.store(batch->messages, batch->cursor, batch->sequence, batch->cursor_created);
    } else if (!inbox_.cursor() && !inbox_.watched_since()) {
      inbox_.watch_since(clock_.wall());
    }
    // After the commit: the other processes look at the inbox when this is written.
    ownership_.status().polled();
  }

  Clock::duration failed(const platform::Error& error, const platform::ActivityQuery& query) {
    pass_.reset();
    if (refuses_cursor(error, query)) return drop_cursor();
    const bool too_much =
        error.code == platform::Errc::too_large || error.code == platform::Errc::timeout;
    if (too_much) largest_page_ = std::max(1, std::min(largest_page_, query.limit) / 4);
    if (error.code == platform::Errc::unauthorized) reload_token();
    if (is_rejection(error)) ++rejections_;
    trouble(platform_, fmt::format("inbox: {}", error.message));
    const milliseconds patience = backoff_.next(random_unit());
    return std::max<Clock::duration>(
        patience, std::min(error.retry_after.value_or(seconds(0)), longest_retry_after));
  }

  Clock::duration drop_cursor() {
    try {
      inbox_.forget_cursor(last_poll_);
      log::warning(
          "inbox: the platform does not know the cursor any more: looking at the last {} "
          "minutes again",
          duration_cast<std::chrono::minutes>(look_back()).count());
    } catch (const sqlite::Error& error) {
      trouble(storage_, fmt::format("inbox: {}; trying again", error.what()));
    } catch (const Inbox::NotTheOwner&) {
      return {};
    }
    return next_interval();
  }

  void reload_token() {
    if (auto reloaded = credentials_.reload(); !reloaded.ok()) {
      token_.say(fmt::format("inbox: {}", reloaded.error()));
    }
  }

  platform::Client& client_;
  Inbox& inbox_;
  Ownership& ownership_;
  Credentials& credentials_;
  Removal& removal_;
  Clock& clock_;
  unsigned term_ = 0;
  Files* files_ = nullptr;
  Acknowledgements* acknowledgements_ = nullptr;
  /// In a row.
  unsigned rejections_ = 0;
  bool removed_ = false;
  std::optional<PollCursor> pass_;
  /// The last poll of this process after which nothing was left to fetch.
  std::optional<WallTime> last_poll_;
  /// Shrinks where a page is too large or too slow, and grows again.
  int largest_page_ = first_page_rows;
  Backoff backoff_{interval, slowest};
  LogOnce platform_;
  LogOnce storage_;
  LogOnce overfull_;
  LogOnce malformed_;
  LogOnce token_;
};

Poller::Poller(platform::Client& client, Inbox& inbox, Ownership& ownership,
               Credentials& credentials, Removal& removal, Clock& clock)
    : state_(std::make_unique<State>(client, inbox, ownership, credentials, removal, clock)) {}

Poller::~Poller() = default;

void Poller::receive_with(Files& files) {
  state_->receive_with(files);
}

void Poller::acknowledge_with(Acknowledgements& acknowledgements) {
  state_->acknowledge_with(acknowledgements);
}

awaitable<void> Poller::run() {
  return state_->run();
}

}  // namespace molecule::workspace

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/backoff.hpp"
#include "base/async/clock.hpp"
#include "base/async/event.hpp"
#include "base/text/time.hpp"
#include "workspace/files/files.hpp"
#include "workspace/sync/acknowledgements.hpp"
#include "workspace/sync/context.hpp"
#include "workspace/sync/pause.hpp"
#include "workspace/sync/poll_cursor.hpp"

namespace molecule::workspace {

/// Fills the inbox as long as it runs and this process is the owner: a poll every `Timing::poll`,
/// the next page at once, slower while the platform fails. A message is stored before the cursor
/// passes it; what cannot be stored is fetched again.
class Poller {
 public:
  /// `files` gets what each page says about files, before the page is stored; `acknowledgements` is
  /// notified of each poll that leaves nothing to fetch.
  /// `token_refused` wakes whoever can get another token, when polls are rejected again and again.
  Poller(SyncContext context, Files& files, Acknowledgements& acknowledgements,
         Event& token_refused);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// Ends by cancellation, or when the workspace was removed.
  awaitable<void> run();

 private:
  awaitable<Clock::duration> poll();
  awaitable<Result<void, std::string>> keep_files(std::vector<Upload> uploads,
                                                  std::vector<Message> with_files);
  bool begin_run();
  std::chrono::seconds look_back();
  Clock::duration next_interval() const;
  Clock::duration stored(PollCursor::Step step);
  Clock::duration not_stored(std::string_view why);
  void store(const std::optional<PollCursor::Batch>& batch);
  awaitable<Clock::duration> refused(platform::Error error, platform::ActivityQuery query);
  Clock::duration failed(const platform::Error& error, const platform::ActivityQuery& query);
  void rejected(const platform::Error& error, Escalation::Say say);
  Clock::duration drop_cursor();
  void reload_token();
  void report(LogOnce& log, const std::string& text, std::string_view next);

  SyncContext context_;
  Files& files_;
  Acknowledgements& acknowledgements_;
  Event& token_refused_;
  unsigned term_ = 0;
  Escalation escalation_;
  bool removed_ = false;
  std::optional<PollCursor> cursor_;
  /// The last poll of this process that left nothing to fetch.
  std::optional<WallTime> last_poll_;
  /// Shrinks if a page is too large or too slow, and grows again.
  int max_page_rows_;
  Backoff backoff_;
  LogOnce platform_log_;
  LogOnce storage_log_;
  LogOnce full_log_;
  LogOnce malformed_log_;
  LogOnce token_log_;
};

}  // namespace molecule::workspace

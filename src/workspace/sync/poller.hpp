#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/async/clock.hpp"
#include "base/text/time.hpp"
#include "platform/client.hpp"
#include "workspace/config/credentials.hpp"
#include "workspace/files/files.hpp"
#include "workspace/store/inbox.hpp"
#include "workspace/sync/acknowledgements.hpp"
#include "workspace/sync/ownership.hpp"
#include "workspace/sync/removal.hpp"
#include "workspace/sync/rows.hpp"

namespace molecule::workspace {

/// What to do after a page of rows.
enum class NextPoll { at_once, after_interval };

/// How much a pass gathers in memory before it is stored.
struct PassRoom {
  std::size_t rows = Inbox::most_messages;
  /// Of their texts.
  std::size_t bytes = std::size_t{64} << 20;
};

/// One pass over the platform's rows, free of I/O: which query comes next, and what its page
/// gives to store (molecule-mcp.md 5, platform-api.md 4.1). With a cursor a pass is one page.
/// Without one the newest rows come first, so that older pages are gathered before any is stored:
/// nothing may lie before the cursor that was not stored. Where more come than may be gathered, the
/// pass goes on to the oldest row, keeps only that one, and lets the cursor walk forward from it.
class PollCursor {
 public:
  struct Batch {
    /// Oldest first.
    std::vector<Message> messages;
    std::vector<Upload> uploads;
    std::string cursor;
    /// When the platform made the cursor's row, where it says.
    std::optional<WallTime> cursor_created;
    /// The highest of the rows; 0 where the platform does not number them.
    std::int64_t sequence = 0;
  };
  struct Step {
    NextPoll next = NextPoll::after_interval;
    /// What to store; nothing in the midst of gathering, and where there were no rows.
    std::optional<Batch> batch;
    /// Rows that could not be read.
    std::size_t malformed = 0;
  };

  PollCursor(std::string workspace_id, std::optional<std::string> cursor,
             std::chrono::seconds look_back, int limit, PassRoom room = {});

  platform::ActivityQuery query() const;
  Step take(const platform::ActivityPage& page);

 private:
  Step take_forward(std::vector<Row> rows, bool more);
  Step take_backward(std::vector<Row> rows, bool more);
  /// False where none of them is new.
  bool gather(std::vector<Row> rows);

  std::string workspace_id_;
  std::optional<std::string> cursor_;
  std::chrono::seconds look_back_;
  int limit_;
  PassRoom room_;
  std::string before_ts_;
  /// Newest first; only the oldest where the room did not suffice.
  std::vector<Row> gathered_;
  std::size_t gathered_bytes_ = 0;
  bool overflowed_ = false;
  std::unordered_set<std::string> known_;
};

/// True where the platform does not know the cursor of `query`: asking again is of no use.
bool refuses_cursor(const platform::Error& error, const platform::ActivityQuery& query);

/// Fills the inbox for as long as it runs and this process is the owner: a poll every 5 s, the next
/// page at once, slower while the platform fails. A message is stored before the cursor passes it;
/// what cannot be stored is asked for again.
class Poller {
 public:
  Poller(platform::Client& client, Inbox& inbox, Ownership& ownership, Credentials& credentials,
         Removal& removal, Clock& clock);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller();

  /// Hands it what each page tells of files, before the page is stored; it must outlive the run.
  void receive_with(Files& files);
  /// Tells it of each poll after which there is nothing more to fetch; it must outlive the run.
  void acknowledge_with(Acknowledgements& acknowledgements);
  /// Ends by cancellation, or when the workspace was removed.
  awaitable<void> run();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace molecule::workspace

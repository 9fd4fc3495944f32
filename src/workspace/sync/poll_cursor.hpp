#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/text/time.hpp"
#include "platform/client.hpp"
#include "workspace/store/inbox/message_store.hpp"
#include "workspace/sync/rows.hpp"

namespace molecule::workspace {

/// What to do after a page of rows.
enum class NextPoll { at_once, after_interval };

/// How much of a backlog is gathered in memory before it is stored.
struct GatherLimits {
  std::size_t rows = MessageStore::max_waiting;
  /// The size of their texts.
  std::size_t bytes = std::size_t{64} << 20;
};

/// One run over the pages of a poll, free of I/O: which query comes next, and what its page adds to
/// the store (molecule-mcp.md 5, platform-api.md 4.1). With a cursor a run is one page. Without one
/// the newest rows come first, so older pages are gathered before any is stored: everything before
/// a cursor must have been stored. If there are more rows than may be gathered, the run goes on to
/// the oldest row, keeps only that one, and lets the cursor walk forward from it.
class PollCursor {
 public:
  struct Batch {
    /// Oldest first.
    std::vector<Message> messages;
    std::vector<Upload> uploads;
    std::string cursor;
    /// When the platform created the cursor's row, if it says so.
    std::optional<WallTime> cursor_created;
    /// The highest number of a row; 0 if the platform does not number them.
    std::int64_t sequence = 0;
  };
  struct Step {
    NextPoll next = NextPoll::after_interval;
    /// What to store; empty while gathering, and if there were no rows.
    std::optional<Batch> batch;
    /// The platform has more rows, and does not show them without a cursor.
    bool left_behind = false;
    /// Rows that could not be read.
    std::size_t malformed = 0;
  };

  PollCursor(std::string workspace_id, std::optional<std::string> cursor,
             std::chrono::seconds look_back, int limit, GatherLimits limits = {},
             std::string type = platform::ActivityQuery().type);

  platform::ActivityQuery query() const;
  Step take(const platform::ActivityPage& page);

 private:
  Step take_forward(std::vector<Row> rows, bool more);
  Step take_backward(std::vector<Row> rows, bool more);
  /// False if none of them is new.
  bool gather(std::vector<Row> rows);

  std::string workspace_id_;
  std::optional<std::string> cursor_;
  std::chrono::seconds look_back_;
  int limit_;
  GatherLimits limits_;
  std::string type_;
  std::string before_ts_;
  /// Newest first; only the oldest after an overflow.
  std::vector<Row> gathered_;
  std::size_t gathered_bytes_ = 0;
  bool overflowed_ = false;
  std::unordered_set<std::string> known_;
};

/// True if the platform does not know the cursor of `query`: repeating the query cannot succeed.
bool refuses_cursor(const platform::Error& error, const platform::ActivityQuery& query);

}  // namespace molecule::workspace

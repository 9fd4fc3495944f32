#include "workspace/sync/poll_cursor.hpp"

#include <algorithm>
#include <utility>

namespace molecule::workspace {

namespace {

/// Platforms also end a page when it gets large; a smaller page with fewer rows is the last.
constexpr std::size_t large_page_bytes = std::size_t{1} << 20;

bool has_more(const platform::ActivityPage& page, int limit) {
  if (page.rows.size() >= static_cast<std::size_t>(limit)) return true;
  std::size_t bytes = 0;
  for (const json::Value& row : page.rows) bytes += row.dump().size();
  return bytes >= large_page_bytes;
}

/// 410 means a removed workspace or an unknown cursor.
bool mentions_removal(const platform::Error& error) {
  if (!error.removed_at.empty()) return true;
  const bool removed = error.message.find("removed") != std::string::npos;
  return removed && error.message.find("cursor") == std::string::npos;
}

std::vector<Row> read_rows(const platform::ActivityPage& page, std::string_view workspace_id) {
  std::vector<Row> rows;
  for (const json::Value& value : page.rows) {
    Row row = read_row(value, workspace_id);
    if (!row.id.empty()) rows.push_back(std::move(row));
  }
  return rows;
}

PollCursor::Batch make_batch(std::vector<Row> oldest_first) {
  PollCursor::Batch batch;
  batch.cursor = oldest_first.back().id;
  batch.cursor_created = parse_rfc3339(oldest_first.back().created_at);
  for (Row& row : oldest_first) {
    batch.sequence = std::max(batch.sequence, row.sequence);
    if (row.message) batch.messages.push_back(std::move(*row.message));
    if (row.upload) batch.uploads.push_back(std::move(*row.upload));
  }
  return batch;
}

}  // namespace

PollCursor::PollCursor(std::string workspace_id, std::optional<std::string> cursor,
                       std::chrono::seconds look_back, int limit, GatherLimits limits,
                       std::string type)
    : workspace_id_(std::move(workspace_id)),
      cursor_(std::move(cursor)),
      look_back_(look_back),
      limit_(limit),
      limits_(limits),
      type_(std::move(type)) {}

platform::ActivityQuery PollCursor::query() const {
  platform::ActivityQuery query;
  query.type = type_;
  query.limit = limit_;
  query.peer_info = true;
  if (cursor_) {
    query.since_id = cursor_;
  } else {
    query.since_secs = static_cast<int>(look_back_.count());
    if (!before_ts_.empty()) query.before_ts = before_ts_;
  }
  return query;
}

PollCursor::Step PollCursor::take(const platform::ActivityPage& page) {
  std::vector<Row> rows = read_rows(page, workspace_id_);
  const std::size_t malformed = page.rows.size() - rows.size();
  const bool more = has_more(page, limit_);
  Step step = cursor_ ? take_forward(std::move(rows), more) : take_backward(std::move(rows), more);
  step.malformed = malformed;
  return step;
}

PollCursor::Step PollCursor::take_forward(std::vector<Row> rows, bool more) {
  Step step;
  // A page that does not move the cursor must not be requested again at once.
  if (rows.empty() || rows.back().id == cursor_) return step;
  step.batch = make_batch(std::move(rows));
  if (more) step.next = NextPoll::at_once;
  return step;
}

bool PollCursor::gather(std::vector<Row> rows) {
  bool older = false;
  std::unordered_set<std::string> page;
  for (Row& row : rows) {
    page.insert(row.id);
    if (known_.contains(row.id)) continue;
    older = true;
    if (row.message) gathered_bytes_ += row.message->text.size();
    overflowed_ =
        overflowed_ || gathered_.size() >= limits_.rows || gathered_bytes_ > limits_.bytes;
    if (overflowed_) gathered_.clear();
    gathered_.push_back(std::move(row));
  }
  // Only the last page's rows can come again.
  known_ = std::move(page);
  return older;
}

PollCursor::Step PollCursor::take_backward(std::vector<Row> rows, bool more) {
  const bool older = gather(std::move(rows));
  Step step;
  const auto oldest = gathered_.empty() ? std::nullopt : parse_rfc3339(gathered_.back().created_at);
  if (more && older && oldest) {
    // One microsecond more: rows that share the oldest one's time are fetched again.
    before_ts_ = format_rfc3339(*oldest + std::chrono::microseconds(1));
    step.next = NextPoll::at_once;
    return step;
  }
  if (gathered_.empty()) return step;
  std::reverse(gathered_.begin(), gathered_.end());
  step.batch = make_batch(std::exchange(gathered_, {}));
  // After an overflow the oldest row is known, and the cursor walks forward from it.
  step.left_behind = more && !overflowed_;
  if (more || overflowed_) step.next = NextPoll::at_once;
  return step;
}

bool refuses_cursor(const platform::Error& error, const platform::ActivityQuery& query) {
  if (!query.since_id) return false;
  if (error.code == platform::Errc::gone) return !mentions_removal(error);
  if (error.status == 400) return true;
  // A platform that cannot read the cursor answers 500 (platform-api.md 4.1); after any other
  // 500 the cursor is kept.
  return error.status == 500 && error.message.find("cursor") != std::string::npos;
}

}  // namespace molecule::workspace

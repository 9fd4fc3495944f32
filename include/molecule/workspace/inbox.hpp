#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "molecule/base/asio.hpp"
#include "molecule/base/clock.hpp"
#include "molecule/base/event.hpp"
#include "molecule/base/sqlite.hpp"

namespace molecule::workspace {

/// One message as agents see it (molecule-mcp.md 5 and 6). Empty texts are unknown ones.
struct Message {
  std::string activity_id;
  std::string text;
  /// Empty for the human.
  std::string peer_id;
  /// `canvas_user`, `peer_agent` or `delegation_result`.
  std::string kind;
  std::string method;
  std::string created_at;
};

/// The message as the tools show it: a JSON object's text.
std::string to_json(const Message& message);

/// The durable inbox of one workspace: `inbox.db` in its state folder. A message stays until it
/// is popped, and a popped id never returns. All functions throw `sqlite::Error` when the file
/// cannot be read or written (a full disk); nothing is changed then.
class Inbox {
 public:
  /// More messages than this, and the poller stops fetching until some are popped.
  static constexpr std::size_t most_messages = 10'000;

  /// Touches no disk: the first use opens the file.
  Inbox(std::filesystem::path state_folder, Clock& clock);

  /// Stores what is new of `messages` (oldest first) and then lets the cursor pass, in one
  /// transaction. Gives back the new ones. Wakes whoever waits.
  std::vector<Message> store(const std::vector<Message>& messages, const std::string& cursor);
  std::optional<std::string> cursor();
  void forget_cursor();

  std::optional<Message> oldest();
  /// Oldest first.
  std::vector<Message> peek(std::size_t limit);
  std::size_t size();
  bool full() { return size() >= most_messages; }
  /// False when there was no such message, which is not an error. Idempotent.
  bool pop(std::string_view activity_id);

  /// Returns the oldest message as soon as there is one, nothing at `deadline`. Consumes nothing.
  awaitable<std::optional<Message>> wait_until(Clock::time_point deadline);

 private:
  sqlite::Database& database();

  std::filesystem::path state_folder_;
  std::optional<sqlite::Database> database_;
  Clock& clock_;
  Event arrived_;
};

}  // namespace molecule::workspace

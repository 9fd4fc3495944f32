#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/async/clock.hpp"
#include "base/text/time.hpp"
#include "workspace/store/database.hpp"
#include "workspace/store/idle_inbox.hpp"

namespace molecule::workspace {

class Ownership;

/// How far the inbox has followed the platform's rows. Throws `StoreError`.
///
/// The cursor also lies in `.mcp_inbox_cursor`, as the Python runtime leaves it: when a process
/// becomes the owner, a valid file wins over the database, because that runtime may have moved on
/// meanwhile.
class PollState {
 public:
  PollState(Database& database, IdleInbox& idle, Ownership& ownership,
            const std::filesystem::path& state_folder, Clock& clock, const Timing& timing);

  std::optional<std::string> cursor();
  /// The highest of the platform's sequences up to which everything is removed, or was no message;
  /// 0 if unknown.
  std::int64_t handled_sequence();
  /// Without a cursor: since when the platform is being asked, so that no row that came after it
  /// is older than what a poll asks for. Nothing before the first successful poll.
  std::optional<WallTime> watched_since();

  // For the owner; others get `NotTheOwner`.

  void watch_since(WallTime time);
  /// The platform does not know the cursor any more. `watched_since` starts at `last_poll`, this
  /// process's last poll that left nothing to fetch; without one, at the cursor's own time.
  void forget_cursor(std::optional<WallTime> last_poll);

  // Broadcasts are followed with a cursor of their own (platform-api.md 10).

  std::optional<std::string> broadcast_cursor();
  /// When the last row up to that cursor came; kept when the platform does not know the cursor.
  std::optional<WallTime> broadcasts_since();
  /// For the owner.
  void forget_broadcast_cursor();

  // For the other classes on this database.

  /// For a new inbox in place of one that is lost. The cursor in the file passed messages that only
  /// the lost inbox had, so it is dropped, and `watched_since` starts before it was written.
  void look_back(sqlite::Database& db);
  /// Within a transaction. `sequence` is the highest of all rows up to the cursor, 0 if unknown;
  /// `cursor_created` is when the platform made the cursor's row, if it says so.
  void advance(sqlite::Database& db, const std::string& cursor, std::int64_t sequence,
               std::optional<WallTime> cursor_created);
  /// The same for the cursor of the broadcasts.
  void advance_broadcasts(sqlite::Database& db, const std::string& cursor,
                          std::optional<WallTime> cursor_created);
  /// After the commit of `advance`.
  void write_cursor_file(const std::string& cursor);
  /// Within a transaction: takes over the cursor that the other runtime has left.
  void take_cursor_file(sqlite::Database& db);

 private:
  Database& database_;
  IdleInbox& idle_;
  Ownership& ownership_;
  std::string cursor_file_;
  Clock& clock_;
  const Timing& timing_;
};

}  // namespace molecule::workspace

#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/sqlite/sqlite.hpp"
#include "workspace/config/timing.hpp"
#include "workspace/store/store_error.hpp"

namespace molecule::workspace {

/// One database file of a state folder. It is opened, and its tables created or migrated, at its
/// first use. If the file is removed or replaced later, the next use logs that and reopens it.
/// Failures are `StoreError`s.
///
/// The one policy for all databases while another process writes:
/// - Tasks that keep the workspace online (polls, ownership, files) block the loop for at most
///   `Timing::lock_wait`, because writes take milliseconds. A poll or check that still fails is
///   repeated at its next turn.
/// - Calls of an agent never block. They open a `FailFast` scope and run in `retry_while_busy`,
///   which retries on a timer, every `Timing::store_retry` for `Timing::store_patience`.
class Database {
 public:
  /// `purpose` completes "cannot be used as …". `on_open` creates the tables; it may throw.
  Database(const std::filesystem::path& path, std::string purpose,
           std::function<void(sqlite::Database&)> on_open, const Timing& timing);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  /// Runs `action` on the open file and returns its result.
  template <class Action>
  auto use(Action action) {
    try {
      sqlite::Database& database = open();
      const Use in_use(users_);
      return action(database);
    } catch (const sqlite::Error& error) {
      fail(error);
    }
  }
  bool is_open() const { return handle_.has_value(); }
  /// How often the file was opened: more than once if it was replaced.
  unsigned openings() const { return openings_; }
  /// True if the file that was opened last was removed or replaced since.
  bool replaced() const;
  /// False until some process has created the file. Opens nothing.
  bool exists() const;
  /// True if another process has written since the previous call. The first call returns false.
  bool changed_elsewhere();

  /// After the regular work, until the next: frees the pages in memory, which cost more than
  /// everything else that an idle workspace has.
  void rest();
  /// True if the file is open, and this process has so many open that it should be closed.
  bool crowded() const;
  /// True if it is `crowded`, and nobody has written to it since the previous call.
  bool spare();
  /// Closes the file, unless it is in use. The next use opens it again, and `changed_elsewhere`
  /// also reports what was written meanwhile.
  bool close();
  /// True from `close` until the next use.
  bool closed() const { return !handle_ && closed_; }
  /// True if `close` has closed the file and nobody has written since, so that what was read before
  /// still holds.
  bool closed_unchanged();

  /// While one exists, a call that needs the lock of another process fails at once (`busy`), also
  /// the one that opens the file.
  class FailFast {
   public:
    explicit FailFast(Database& database);
    FailFast(const FailFast&) = delete;
    FailFast& operator=(const FailFast&) = delete;
    ~FailFast();

   private:
    Database& database_;
  };

 private:
  /// Actions may use the database within an action: it stays open until the outermost one ends.
  class Use {
   public:
    explicit Use(int& users) : users_(users) { ++users_; }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() { --users_; }

   private:
    int& users_;
  };

  void drop_if_replaced();
  void drop();
  void note_changes_while_closed();
  std::chrono::milliseconds lock_wait() const;
  sqlite::Database& open();
  [[noreturn]] static void fail(const sqlite::Error& error);
  [[noreturn]] void refuse(StoreError::Kind kind, const char* reason) const;

  std::string path_;
  std::string purpose_;
  std::function<void(sqlite::Database&)> on_open_;
  const Timing& timing_;
  std::optional<sqlite::Database> handle_;
  int users_ = 0;
  unsigned openings_ = 0;
  /// How many `FailFast` exist.
  int in_a_hurry_ = 0;
  std::optional<std::int64_t> seen_version_;
  /// This connection's changes as of the last call of `spare`.
  std::int64_t spare_changes_ = -1;
  bool written_elsewhere_ = false;
  /// The files as `close` left them, until they are opened again.
  std::optional<sqlite::FileState> closed_;
};

}  // namespace molecule::workspace

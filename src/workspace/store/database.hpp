#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/sqlite.hpp"
#include "workspace/config/timing.hpp"
#include "workspace/store/store_error.hpp"

namespace molecule::workspace {

/// One database file of a state folder: opened at its first use, its tables made or migrated then.
/// If the file was removed or replaced meanwhile, the next use says so and opens it again. What
/// fails is a `StoreError`.
///
/// What happens while another process writes, the one policy for all that use a database:
/// - Tasks that keep the workspace online (polls, ownership, files) block the loop for at most
///   `Timing::lock_wait`, since others write for milliseconds. A poll or a check that still fails
///   is made again at its next turn.
/// - Calls of an agent never block. They open a `FailFast` scope and run in `retry_while_busy`,
///   which tries again by a timer, every `Timing::store_retry` for `Timing::store_patience`.
class Database {
 public:
  /// `purpose` completes "cannot be used as …". `on_open` makes the tables; it may throw.
  Database(std::filesystem::path path, std::string purpose,
           std::function<void(sqlite::Database&)> on_open, const Timing& timing);

  /// What `action` returns for the open file.
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
  /// False while nobody has made the file. Opens nothing.
  bool exists() const;
  /// True if another process has written since the previous call. The first call returns false.
  bool changed_elsewhere();

  /// While one lives, a call that needs the lock of another process fails at once (`busy`).
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
  sqlite::Database& open();
  [[noreturn]] static void fail(const sqlite::Error& error);
  [[noreturn]] void refuse(StoreError::Kind kind, const char* reason) const;

  std::filesystem::path path_;
  std::string purpose_;
  std::function<void(sqlite::Database&)> on_open_;
  const Timing& timing_;
  std::optional<sqlite::Database> handle_;
  int users_ = 0;
  unsigned openings_ = 0;
  std::optional<std::int64_t> seen_version_;
};

}  // namespace molecule::workspace

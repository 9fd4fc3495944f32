#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/files/open.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace molecule::sqlite {

/// A failed call; `code` is SQLite's extended result code (SQLITE_FULL, SQLITE_BUSY, …).
class Error : public std::runtime_error {
 public:
  Error(int code, const std::string& message) : std::runtime_error(message), code_(code) {}
  int code() const { return code_; }
  /// The disk or a quota is full, or the file cannot be written.
  bool cannot_write() const;
  /// The file is not a database, is damaged, or was `refused`.
  bool unusable_file() const;
  /// For a caller that finds another program's data in the file.
  static Error refused(const std::string& message);
  /// Another connection holds its lock for longer than the busy timeout.
  bool busy() const;

 private:
  int code_;
};

/// The library's version, such as "3.40.1".
const char* version();

class Database;

/// What tells one content of a database from another while no connection is open: the file, and
/// its log if that is not empty.
struct FileState {
  std::optional<files::Fingerprint> file;
  std::optional<files::Fingerprint> log;
  bool operator==(const FileState&) const = default;
};
FileState file_state(const std::string& path);

/// A cached statement in use: bind, then step, then read. It returns to its database's cache when
/// it goes out of scope. Text views are valid until the next `step`.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  /// Binds the values to ?1, ?2, … (or $1, $2, …) in order: text, integers, doubles, nullptr,
  /// std::optional.
  template <class... Args>
  Statement& bind(const Args&... args) {
    int index = 0;
    (bind_one(++index, args), ...);
    return *this;
  }
  /// Binds one value to the parameter of that number.
  template <class T>
  void bind_at(int index, const T& value) {
    bind_one(index, value);
  }

  /// True if there is a row. Throws `Error`.
  bool step();
  /// Ends the statement, which otherwise goes on being under way after some errors. Its values
  /// stay.
  void reset();
  /// Steps to the end, ignoring rows.
  void run() {
    while (step()) {
    }
  }

  std::string_view text(int column) const;
  std::string string(int column) const { return std::string(text(column)); }
  std::optional<std::string> optional_string(int column) const;
  std::int64_t integer(int column) const;
  double number(int column) const;
  bool is_null(int column) const;

 private:
  friend class Database;
  Statement(Database& database, std::vector<sqlite3_stmt*>& idle, sqlite3_stmt* statement)
      : database_(&database), idle_(&idle), statement_(statement) {}

  void bind_one(int index, std::string_view value);
  void bind_one(int index, const std::string& value) { bind_one(index, std::string_view(value)); }
  void bind_one(int index, const char* value) { bind_one(index, std::string_view(value)); }
  void bind_integer(int index, std::int64_t value);
  /// Which of long and long long is int64_t differs between systems.
  template <std::signed_integral T>
  void bind_one(int index, T value) {
    bind_integer(index, value);
  }
  void bind_one(int index, bool value) { bind_integer(index, value ? 1 : 0); }
  void bind_one(int index, double value);
  void bind_one(int index, std::nullptr_t);
  template <class T>
  void bind_one(int index, const std::optional<T>& value) {
    if (value) {
      bind_one(index, *value);
    } else {
      bind_one(index, nullptr);
    }
  }

  Database* database_;
  /// The cache entry it returns to.
  std::vector<sqlite3_stmt*>* idle_;
  sqlite3_stmt* statement_;
};

/// One connection: WAL, synchronous=FULL (what was acknowledged survives a power cut), foreign
/// keys on. The file is 0600 from its first byte. Only regular files are opened, never through
/// links. On file systems without shared memory (some network and virtual ones) a rollback journal
/// replaces the WAL. Throws `Error`.
class Database {
 public:
  /// Which threads call a connection: always the same one, or a second one at times, and then the
  /// statements that the first one still holds may end meanwhile.
  enum class Threads { one, two };
  /// A call that needs another connection's lock blocks for up to `busy_timeout`.
  explicit Database(const std::filesystem::path& path,
                    std::chrono::milliseconds busy_timeout = std::chrono::seconds(2),
                    Threads threads = Threads::one);
  /// For reading the state at the time of opening. Creates and changes nothing, neither the file
  /// nor its log, and does not hold up writers.
  struct ReadOnly {};
  Database(const std::filesystem::path& path, ReadOnly);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  /// Makes `name(text, other)` a function of SQL: whether `test` is true of the two. NULL counts as
  /// an empty text. `test` must be pure and throw nothing.
  using TextTest = bool (*)(std::string_view text, std::string_view other);
  void define(const char* name, TextTest test);
  /// Runs statements that take no values, e.g. a schema.
  void execute(const char* sql);
  /// Prepares one statement, and caches it by its text.
  Statement prepare(std::string_view sql);
  /// False where a rollback journal replaces the WAL: then a connection that reads and one that
  /// writes are in each other's way.
  bool has_log() const { return has_log_; }
  /// True if one of its files was removed or replaced: nobody will see what is committed from then
  /// on. Reopen the database, or stop.
  bool replaced() const;
  /// Truncates a log that has grown beyond its limit, unless another connection is in the way.
  void shrink_log();
  /// From now on commits never move the log into the database: the caller decides when, by
  /// `checkpoint`.
  void checkpoint_by_hand();
  /// Pages in the log after the last commit; 0 without `checkpoint_by_hand`.
  int log_pages() const { return log_pages_; }
  /// Moves as much of the log into the database as no other connection still needs. The next commit
  /// then begins the log anew.
  void checkpoint();
  /// Calls `observe` with the time of each wait for the disk. Files that SQLite opens later are not
  /// observed.
  void observe_syncs(std::function<void(std::chrono::steady_clock::duration)> observe);
  /// Sets the busy timeout: how long a call that needs another connection's lock blocks.
  void wait_for_locks(std::chrono::milliseconds busy_timeout);
  /// Frees caches, after work that will not be repeated.
  void release_memory();
  /// Frees the pages in the cache and keeps the statements: for a connection that is one of many
  /// and used once in a while.
  void release_pages();
  /// The number of rows that the last statement changed.
  std::int64_t changes() const;
  std::int64_t last_insert_id() const;
  /// True after BEGIN, until the end of the transaction or until SQLite rolls it back by itself.
  bool in_transaction() const;
  /// The number of rows that this connection has changed.
  std::int64_t total_changes() const;
  /// A number that changes when another connection has committed to the file.
  std::int64_t data_version();
  /// Called with the pages that are copied, and all of them.
  using CopyProgress = std::function<void(int copied, int all)>;
  /// Copies everything into `target`, page by page, in place of what it has. Within a read
  /// transaction of this connection the copy is of one moment, whatever others write meanwhile.
  void copy_to(Database& target, const CopyProgress& progress);

 private:
  friend class Statement;
  friend class Transaction;
  void open(const std::string& name, int flags, std::chrono::milliseconds busy_timeout,
            const char* setup);
  void remember_files();
  void forget_statements();
  [[noreturn]] void fail(int code, std::string_view what);

  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  std::filesystem::path path_;
  sqlite3* handle_ = nullptr;
  std::chrono::milliseconds busy_timeout_{0};
  int log_pages_ = 0;
  bool has_log_ = false;
  /// The database's files as they were when it opened; `replaced` compares them.
  std::vector<std::pair<std::filesystem::path, files::Identity>> files_;
  /// Idle statements by their text as given. Entries never move: statements in use point to them.
  std::unordered_map<std::string, std::vector<sqlite3_stmt*>, TextHash, std::equal_to<>> idle_;
};

/// BEGIN IMMEDIATE; rolled back unless `commit` was called.
class Transaction {
 public:
  explicit Transaction(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace molecule::sqlite

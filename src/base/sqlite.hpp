#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

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
  /// The file is no database, or a damaged one, or one that was `refused`.
  bool unusable_file() const;
  /// For a caller that finds another program's content in the file.
  static Error refused(const std::string& message);
  /// Another connection holds its lock for longer than the busy timeout.
  bool busy() const;

 private:
  int code_;
};

class Database;

/// A cached statement in use: bind, then step, then read. It goes back to its database's cache
/// when it goes out of scope. Text views are valid until the next `step`.
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

  /// True when there is a row. Throws `Error`.
  bool step();
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
  void bind_one(int index, std::int64_t value);
  void bind_one(int index, int value) { bind_one(index, static_cast<std::int64_t>(value)); }
  void bind_one(int index, bool value) { bind_one(index, static_cast<std::int64_t>(value)); }
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
  /// Where it goes back to.
  std::vector<sqlite3_stmt*>* idle_;
  sqlite3_stmt* statement_;
};

/// One connection: WAL, synchronous=FULL (what was acknowledged survives a power cut), foreign
/// keys on. The file is 0600 from its first byte. Throws `Error`.
class Database {
 public:
  /// A call that needs a lock of another connection blocks for up to `busy_timeout`.
  explicit Database(const std::filesystem::path& path,
                    std::chrono::milliseconds busy_timeout = std::chrono::seconds(2));
  /// For looking at the file only: what is there when it opens, and nothing is made or changed,
  /// neither the file nor its log. Whoever writes to it meanwhile is not held up.
  struct ReadOnly {};
  Database(const std::filesystem::path& path, ReadOnly);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  /// Runs statements that take no values, e.g. a schema.
  void execute(const char* sql);
  /// One statement with nothing after it, kept for the next time: its text is the key of the cache.
  Statement prepare(std::string_view sql);
  /// From now on a call that needs a lock of another connection blocks for so long.
  void wait_for_locks(std::chrono::milliseconds most);
  /// Gives back what is kept for the next time: after work that does not come again.
  void release_memory();
  /// Rows changed by the last statement.
  std::int64_t changes() const;
  std::int64_t last_insert_id() const;
  /// Changes when another connection has committed to the file.
  std::int64_t data_version();

 private:
  friend class Statement;
  friend class Transaction;
  void open(const std::filesystem::path& path, const std::string& name, int flags,
            std::chrono::milliseconds busy_timeout, const char* setup);
  void forget_statements();
  [[noreturn]] void fail(int code, std::string_view what);

  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  sqlite3* handle_ = nullptr;
  /// Statements that are not in use, by their text as it was given. Entries stay where they are:
  /// statements in use point to them.
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

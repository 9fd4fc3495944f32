#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "base/sqlite/sqlite.hpp"
#include "server/store/backup/backup.hpp"

namespace molecule::server::store {

// What making and reading a backup share.

/// The tables that a backup has besides the store's.
inline constexpr const char* backup_tables =
    "CREATE TABLE backup_info (version TEXT NOT NULL, made_at INTEGER NOT NULL,"
    " missing_files INTEGER NOT NULL) STRICT;"
    "CREATE TABLE backup_parts (file TEXT NOT NULL, part INTEGER NOT NULL, content BLOB NOT NULL,"
    " PRIMARY KEY (file, part)) STRICT";

/// What it has, checked: throws `sqlite::Error` and `StoreError`, also if it is no backup.
BackupSummary read_summary(molecule::sqlite::Database& backup);

/// Throws `sqlite::Error` if `pragma`, `quick_check` or `integrity_check`, finds damage.
void require_intact(molecule::sqlite::Database& database, std::string_view pragma);

/// A private file beside `file` that becomes it by `take_place`, and is removed otherwise.
class NewDatabase {
 public:
  explicit NewDatabase(std::filesystem::path file);
  NewDatabase(const NewDatabase&) = delete;
  NewDatabase& operator=(const NewDatabase&) = delete;
  ~NewDatabase();

  molecule::sqlite::Database& database() { return *database_; }
  /// Makes it one durable file under its final name. Throws `sqlite::Error`, and
  /// `std::system_error`.
  void take_place();

 private:
  void remove_all() noexcept;

  std::filesystem::path file_;
  std::filesystem::path temporary_;
  std::unique_ptr<molecule::sqlite::Database> database_;
};

}  // namespace molecule::server::store

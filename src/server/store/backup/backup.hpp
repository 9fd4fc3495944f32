#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/result.hpp"

namespace molecule::server::store {

// Backups of a SQLite store (platform-operation.md 2). A backup is one SQLite file: the store as it
// was at one moment, and two tables more, with the bytes of the files that waited then.

/// What a backup holds.
struct BackupSummary {
  /// The program that made it.
  std::string version;
  std::int64_t made_at = 0;
  /// The step of the store's schema.
  std::int64_t schema = 0;
  std::int64_t workspaces = 0;
  std::int64_t messages = 0;
  std::int64_t files = 0;
  /// Files that a row names and that are not there.
  std::int64_t missing_files = 0;
  /// Of the backup itself.
  std::int64_t bytes = 0;
};

/// Called with what is done and all that there is to do, of `what`.
using BackupProgress = std::function<void(const char* what, std::int64_t done, std::int64_t all)>;

/// Where a store lies.
struct StoreFiles {
  std::filesystem::path database;
  std::filesystem::path uploads;
};

/// Writes a backup of the store, which a platform may use meanwhile, into `file` (mode 0600). A
/// backup that is there already is replaced when the new one is complete; any other file is
/// refused. The failure is a text for people.
Result<BackupSummary, std::string> back_up(const StoreFiles& store,
                                           const std::filesystem::path& file,
                                           const BackupProgress& progress);

/// Checks that `file` is a complete backup that this program can read.
Result<BackupSummary, std::string> check_backup(const std::filesystem::path& file);

/// Checks the backup, then puts its content in place of the store, which nobody may use meanwhile.
/// Until the very end the store is as it was.
Result<BackupSummary, std::string> restore(const std::filesystem::path& file,
                                           const StoreFiles& store, const BackupProgress& progress);

}  // namespace molecule::server::store

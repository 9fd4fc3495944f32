#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "base/sqlite.hpp"
#include "server/store/database.hpp"
#include "server/store/sqlite_group.hpp"

namespace molecule::server::store {

/// A store in one SQLite file. Every statement completes at once, so no two sessions ever work at
/// the same time: a session's part of the shared transaction ends before any other session runs.
class SqliteDatabase final : public Database {
 public:
  /// Creates or upgrades the file. Throws `StoreError`.
  explicit SqliteDatabase(const std::filesystem::path& file);
  std::unique_ptr<Session> session() override;
  bool shared() const override { return false; }
  bool replaced() const override { return file_->replaced(); }
  void shrink_log() override { file_->shrink_log(); }

 private:
  std::unique_ptr<molecule::sqlite::Database> file_;
  std::optional<SqliteGroup> group_;
};

}  // namespace molecule::server::store

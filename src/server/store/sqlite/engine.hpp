#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/sqlite/sqlite.hpp"
#include "server/store/database.hpp"
#include "server/store/sqlite/group.hpp"
#include "server/store/sqlite/readers.hpp"

namespace molecule::server::store {

/// A store in one SQLite file. Every statement completes at once, so no two sessions ever write at
/// the same time: a session's part of the shared transaction ends before any other session runs.
/// Outside of a transaction a session only reads, on another connection, which sees what is
/// durable.
class SqliteDatabase final : public Database {
 public:
  /// Creates or upgrades the file. Throws `StoreError`.
  explicit SqliteDatabase(const std::filesystem::path& file);
  std::unique_ptr<Session> session() override;
  bool replaced() const override;
  bool shared() const override { return false; }
  void shrink_log() override { group_->shrink_log(); }
  bool silent() const override { return group_->silent(); }
  void stop() override { group_->stop(); }
  void use_idle_time() override;
  std::string engine() const override;
  awaitable<StoreSize> size() override;

 private:
  SqliteReaders* readers() { return readers_ ? &*readers_ : nullptr; }

  std::filesystem::path path_;
  std::unique_ptr<molecule::sqlite::Database> file_;
  /// Empty where there is no log.
  std::optional<SqliteReaders> readers_;
  std::optional<SqliteGroup> group_;
  std::uint64_t commits_seen_ = 0;
  // What `replaced` found when it last looked.
  mutable std::chrono::steady_clock::time_point looked_at_;
  mutable bool replaced_ = false;
};

}  // namespace molecule::server::store

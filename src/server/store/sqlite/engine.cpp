#include "server/store/sqlite/engine.hpp"

#include <system_error>
#include <utility>

#include "server/store/sqlite/migrations.hpp"
#include "server/store/sqlite/session.hpp"

namespace molecule::server::store {

namespace {

/// Under load many requests share one look at the files: it costs as much as a query. Those that
/// write look again before they are told of success.
constexpr std::chrono::microseconds look_interval{500};

std::optional<std::uint64_t> size_of(const std::filesystem::path& file) {
  std::error_code failure;
  const std::uint64_t size = std::filesystem::file_size(file, failure);
  if (failure) return std::nullopt;
  return size;
}

}  // namespace

SqliteDatabase::SqliteDatabase(const std::filesystem::path& file) : path_(file) {
  try {
    file_ = std::make_unique<molecule::sqlite::Database>(file, std::chrono::seconds(2),
                                                         molecule::sqlite::Database::Threads::two);
    migrate(*file_, sqlite::migrations());
    prepare_for_sessions(*file_);
    file_->checkpoint_by_hand();
    if (file_->has_log()) readers_.emplace(file);
    group_.emplace(*file_, readers(), metrics_);
  } catch (const molecule::sqlite::Error& error) {
    throw store_error(error);
  } catch (const std::system_error& error) {
    throw StoreError(StoreError::Kind::failed, std::string("no thread: ") + error.what());
  }
}

std::unique_ptr<Session> SqliteDatabase::session() {
  return std::make_unique<SqliteSession>(*file_, readers(), *group_);
}

bool SqliteDatabase::replaced() const {
  const auto now = std::chrono::steady_clock::now();
  if (replaced_ || now < looked_at_ + look_interval) return replaced_;
  looked_at_ = now;
  replaced_ = file_->replaced();
  return replaced_;
}

void SqliteDatabase::use_idle_time() {
  const std::uint64_t commits = metrics_.commit_seconds.count();
  const bool idle = std::exchange(commits_seen_, commits) == commits;
  if (idle) group_->checkpoint();
}

std::string SqliteDatabase::engine() const {
  return std::string("SQLite ") + molecule::sqlite::version();
}

awaitable<StoreSize> SqliteDatabase::size() {
  StoreSize size;
  size.bytes = size_of(path_);
  size.log_bytes = size_of(path_.string() + "-wal");
  co_return size;
}

std::unique_ptr<Database> open(const std::filesystem::path& file) {
  return std::make_unique<SqliteDatabase>(file);
}

}  // namespace molecule::server::store

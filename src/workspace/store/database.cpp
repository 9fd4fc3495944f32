#include "workspace/store/database.hpp"

#include <fmt/format.h>

#include <system_error>

#include "base/files/files.hpp"
#include "base/log.hpp"

namespace molecule::workspace {

namespace {

/// More open files of this process than these are worth closing: each costs about 100 KB.
constexpr int max_open = 8;
int open_files = 0;

StoreError::Kind kind_of(const sqlite::Error& error) {
  if (error.busy()) return StoreError::Kind::busy;
  if (error.cannot_write()) return StoreError::Kind::full;
  if (error.unusable_file()) return StoreError::Kind::damaged;
  return StoreError::Kind::failed;
}

/// The start makes the folder; this is for one that was removed or moved away since. If it cannot
/// be made, opening the file in it says why.
void restore_folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  std::error_code failure;
  if (folder.empty() || std::filesystem::exists(folder, failure) || failure) return;
  log::warning("{} was removed while it was in use: making it again", folder.string());
  [[maybe_unused]] const auto made = files::make_private_folder(folder);
}

}  // namespace

Database::Database(const std::filesystem::path& path, std::string purpose,
                   std::function<void(sqlite::Database&)> on_open, const Timing& timing)
    : path_(path.string()),
      purpose_(std::move(purpose)),
      on_open_(std::move(on_open)),
      timing_(timing) {}

Database::~Database() {
  drop();
}

void Database::fail(const sqlite::Error& error) {
  throw StoreError(kind_of(error), error.what());
}

void Database::refuse(StoreError::Kind kind, const char* reason) const {
  const char* cure = kind == StoreError::Kind::newer
                         ? "use that version again, since a new file would lack its messages"
                         : "move it away, and a new one is created";
  throw StoreError(kind,
                   fmt::format("{} cannot be used as {} ({}): {}", path_, purpose_, reason, cure));
}

void Database::drop_if_replaced() {
  if (users_ > 0 || !handle_ || !handle_->replaced()) return;
  log::warning("{} was removed or replaced while it was in use: opening it again", path_);
  drop();
  // No version: whatever the file at this path holds now, it was written since.
  seen_version_ = 0;
}

void Database::drop() {
  if (handle_) --open_files;
  handle_.reset();
  spare_changes_ = -1;
}

/// The version is read first: what is written between is in one of the two.
void Database::note_changes_while_closed() {
  if (!closed_) return;
  seen_version_ = handle_->data_version();
  const sqlite::FileState now = sqlite::file_state(path_);
  const bool replaced =
      !now.file || !closed_->file || now.file->identity != closed_->file->identity;
  if (replaced) {
    log::warning("{} was removed or replaced while it was in use: opening it again", path_);
  }
  written_elsewhere_ = written_elsewhere_ || now != *closed_;
  closed_.reset();
}

sqlite::Database& Database::open() {
  drop_if_replaced();
  if (handle_) return *handle_;
  try {
    restore_folder_of(path_);
    handle_.emplace(path_, lock_wait());
    ++open_files;
    note_changes_while_closed();
    on_open_(*handle_);
    handle_->release_memory();
    ++openings_;
  } catch (const sqlite::Error& error) {
    drop();
    if (error.unusable_file()) refuse(StoreError::Kind::damaged, error.what());
    throw;
  } catch (const StoreError& error) {
    drop();
    refuse(error.kind(), error.what());
  }
  return *handle_;
}

bool Database::replaced() const {
  if (handle_) return handle_->replaced();
  const auto named = files::fingerprint(path_);
  return !closed_ || !closed_->file || !named || named->identity != closed_->file->identity;
}

bool Database::exists() const {
  std::error_code failure;
  return handle_.has_value() || std::filesystem::exists(path_, failure);
}

bool Database::changed_elsewhere() {
  return use([this](sqlite::Database& db) {
    const std::int64_t version = db.data_version();
    const bool changed = std::exchange(seen_version_, version).value_or(version) != version;
    const bool while_closed = std::exchange(written_elsewhere_, false);
    if (changed) spare_changes_ = -1;
    return changed || while_closed;
  });
}

bool Database::crowded() const {
  return handle_ && open_files > max_open;
}

bool Database::spare() {
  if (!crowded() || users_ > 0) return false;
  const std::int64_t changes = handle_->total_changes();
  return std::exchange(spare_changes_, changes) == changes;
}

bool Database::close() {
  if (!handle_ || users_ > 0) return false;
  drop();
  closed_ = sqlite::file_state(path_);
  return true;
}

bool Database::closed_unchanged() {
  return !handle_ && closed_ && closed_->file && sqlite::file_state(path_) == *closed_;
}

void Database::rest() {
  if (handle_ && users_ == 0) handle_->release_pages();
}

std::chrono::milliseconds Database::lock_wait() const {
  return in_a_hurry_ > 0 ? std::chrono::milliseconds(0) : timing_.lock_wait;
}

Database::FailFast::FailFast(Database& database) : database_(database) {
  ++database_.in_a_hurry_;
  if (database_.handle_) database_.handle_->wait_for_locks(database_.lock_wait());
}

Database::FailFast::~FailFast() {
  --database_.in_a_hurry_;
  if (database_.handle_) database_.handle_->wait_for_locks(database_.lock_wait());
}

}  // namespace molecule::workspace

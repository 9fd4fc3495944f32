#include "base/sqlite/sqlite.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/files/abilities.hpp"
#include "base/text/text.hpp"

namespace molecule::sqlite {

namespace {

constexpr std::array<const char*, 4> endings{"", "-wal", "-shm", "-journal"};

/// A log that has grown beyond this is truncated when it restarts.
constexpr std::int64_t max_log_bytes = std::int64_t{4} << 20;

constexpr const char* with_log =
    "PRAGMA journal_mode=WAL; PRAGMA journal_size_limit=4194304; PRAGMA synchronous=FULL;"
    "PRAGMA foreign_keys=ON; PRAGMA cache_size=-512; SELECT count(*) FROM sqlite_schema";

/// An existing log can be read without shared memory only under an exclusive lock.
constexpr const char* with_rollback_journal =
    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=TRUNCATE; PRAGMA locking_mode=NORMAL;"
    "SELECT count(*) FROM sqlite_schema; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
    "PRAGMA cache_size=-512";

std::filesystem::path beside(const std::filesystem::path& path, const char* ending) {
  return path.string() + ending;
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

/// SQLite would follow links, and block on a FIFO.
void require_regular_files(const std::filesystem::path& path) {
  for (const char* ending : endings) {
    const std::filesystem::path file = beside(path, ending);
    struct stat status{};
    if (::lstat(file.c_str(), &status) != 0 || S_ISREG(status.st_mode)) continue;
    const char* found = S_ISLNK(status.st_mode) ? "a symbolic link" : "not a regular file";
    throw Error(SQLITE_CANTOPEN, fmt::format("database: {} is {}", file.string(), found));
  }
}

/// SQLite would create the file with the umask's mode; its log gets the mode of the file. An
/// existing file is not opened: closing it would drop the locks of this process's connections.
void make_private_file(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0) {
    ::close(fd);
    return;
  }
  for (const char* ending : endings) {
    const std::filesystem::path file = beside(path, ending);
    struct stat status{};
    const bool loose = ::lstat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
                       (status.st_mode & 077) != 0 && status.st_uid == ::geteuid();
    if (loose) ::chmod(file.c_str(), 0600);
  }
}

bool lacks_shared_memory(const Error& error) {
  return error.code() == SQLITE_IOERR_SHMMAP || error.code() == SQLITE_IOERR_SHMOPEN;
}

/// SQLite would start each cache with 20 pages, most of which a small file never needs; allocating
/// them one by one is as fast. Has an effect only before the first file is opened.
void take_pages_one_by_one() {
  [[maybe_unused]] static const int done = sqlite3_config(SQLITE_CONFIG_PAGECACHE, nullptr, 0, 0);
}

/// SQLite does not wait for the locks that a change of the journal's mode takes: two processes that
/// wait for each other would never get them.
void execute_when_free(Database& database, const char* sql, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    try {
      return database.execute(sql);
    } catch (const Error& error) {
      if (!error.busy() || std::chrono::steady_clock::now() >= deadline) throw;
    }
    sqlite3_sleep(2);
  }
}

/// A file whose waits for the disk are timed: its methods are a copy of SQLite's own, but for one.
struct ObservedFile {
  sqlite3_io_methods methods;
  const sqlite3_io_methods* plain;
  std::function<void(std::chrono::steady_clock::duration)> observe;
};

int timed_sync(sqlite3_file* file, int flags) {
  // The copy is the first member of what was put there in its place.
  const auto* observed = reinterpret_cast<const ObservedFile*>(file->pMethods);
  const auto start = std::chrono::steady_clock::now();
  const int code = observed->plain->xSync(file, flags);
  observed->observe(std::chrono::steady_clock::now() - start);
  return code;
}

/// SQLite forgets the methods when it closes the file.
int close_observed(sqlite3_file* file) {
  const auto* observed = reinterpret_cast<const ObservedFile*>(file->pMethods);
  const sqlite3_io_methods* plain = observed->plain;
  delete observed;
  file->pMethods = plain;
  return plain->xClose(file);
}

void observe_file(sqlite3_file& file,
                  std::function<void(std::chrono::steady_clock::duration)> observe) {
  auto* observed = new ObservedFile{
      .methods = *file.pMethods, .plain = file.pMethods, .observe = std::move(observe)};
  observed->methods.xSync = timed_sync;
  observed->methods.xClose = close_observed;
  file.pMethods = &observed->methods;
}

/// Replaces `$1` by `?1`: SQLite numbers `$` parameters by their first appearance.
std::string numbered_parameters(std::string_view sql) {
  std::string text(sql);
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '$' && text[i + 1] >= '0' && text[i + 1] <= '9') text[i] = '?';
  }
  return text;
}

}  // namespace

const char* version() {
  return sqlite3_libversion();
}

bool Error::cannot_write() const {
  const int primary = code_ & 0xFF;
  return primary == SQLITE_FULL || primary == SQLITE_IOERR || primary == SQLITE_READONLY ||
         primary == SQLITE_CANTOPEN;
}

bool Error::busy() const {
  return (code_ & 0xFF) == SQLITE_BUSY;
}

bool Error::unusable_file() const {
  const int primary = code_ & 0xFF;
  return primary == SQLITE_NOTADB || primary == SQLITE_CORRUPT;
}

FileState file_state(const std::string& path) {
  FileState state{.file = files::fingerprint(path), .log = files::fingerprint(path + "-wal")};
  // Opening the database makes an empty one.
  if (state.log && state.log->size == 0) state.log.reset();
  return state;
}

Error Error::refused(const std::string& message) {
  return {SQLITE_NOTADB, message};
}

Database::Database(const std::filesystem::path& path, std::chrono::milliseconds busy_timeout,
                   Threads threads)
    : path_(path) {
  require_regular_files(path);
  make_private_file(path);
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                    (threads == Threads::one ? SQLITE_OPEN_NOMUTEX : SQLITE_OPEN_FULLMUTEX);
  // Try first: SQLite would switch the file to WAL mode before it found out.
  has_log_ = files::shared_memory_failure(folder_of(path)) == 0;
  try {
    if (has_log_) open(path.string(), flags, busy_timeout, with_log);
  } catch (const Error& error) {
    if (!lacks_shared_memory(error)) throw;
    has_log_ = false;
  }
  if (!has_log_) open(path.string(), flags, busy_timeout, with_rollback_journal);
  remember_files();
}

Database::Database(const std::filesystem::path& path, ReadOnly) : path_(path) {
  require_regular_files(path);
  // Without a log nobody has the file open, and it is complete; SQLite would create a log.
  const bool logged = ::access(beside(path, "-wal").c_str(), F_OK) == 0;
  const std::string name = fmt::format("file:{}?mode=ro{}", text::percent_encode(path.string()),
                                       logged ? "" : "&immutable=1");
  open(name, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
       std::chrono::milliseconds(250), "PRAGMA query_only=ON");
  remember_files();
}

void Database::open(const std::string& name, int flags, std::chrono::milliseconds busy_timeout,
                    const char* setup) {
  take_pages_one_by_one();
  const int code = sqlite3_open_v2(name.c_str(), &handle_, flags | SQLITE_OPEN_EXRESCODE, nullptr);
  try {
    if (code != SQLITE_OK) fail(code, "open " + path_.string());
    wait_for_locks(busy_timeout);
    // Otherwise a value that is compared with the condition of a partial index makes SQLite parse
    // and plan the statement again each time it is bound.
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_QPSG, 1, nullptr);
    execute_when_free(*this, setup, busy_timeout);
  } catch (...) {
    sqlite3_close(std::exchange(handle_, nullptr));
    throw;
  }
}

void Database::remember_files() {
  for (const char* ending : {"", "-wal", "-shm"}) {
    std::filesystem::path file = beside(path_, ending);
    const auto identity = files::identity(file);
    if (identity) files_.emplace_back(std::move(file), *identity);
  }
}

bool Database::replaced() const {
  return std::ranges::any_of(files_, [](const auto& file) {
    const auto named = files::identity(file.first);
    const bool unknown = !named && errno != ENOENT && errno != ENOTDIR;
    return !unknown && named != file.second;
  });
}

void Database::shrink_log() {
  struct stat status{};
  const std::filesystem::path log = beside(path_, "-wal");
  if (::lstat(log.c_str(), &status) != 0 || status.st_size <= max_log_bytes) return;
  sqlite3_busy_timeout(handle_, 0);
  // Fails while somebody writes or reads an old snapshot; the next call tries again.
  sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_busy_timeout(handle_, static_cast<int>(busy_timeout_.count()));
}

void Database::checkpoint_by_hand() {
  const auto count = [](void* counter, sqlite3*, const char*, int pages) {
    *static_cast<int*>(counter) = pages;
    return SQLITE_OK;
  };
  // Replaces the hook that checkpoints by itself.
  sqlite3_wal_hook(handle_, count, &log_pages_);
}

void Database::checkpoint() {
  sqlite3_busy_timeout(handle_, 0);
  int pages = 0;
  int moved = 0;
  const int code =
      sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
  sqlite3_busy_timeout(handle_, static_cast<int>(busy_timeout_.count()));
  // Another connection's checkpoint does the same work.
  if (code != SQLITE_OK && (code & 0xFF) != SQLITE_BUSY) fail(code, "write the log back");
  if (code == SQLITE_OK) log_pages_ = pages - moved;
}

void Database::observe_syncs(std::function<void(std::chrono::steady_clock::duration)> observe) {
  for (const int which : {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER}) {
    sqlite3_file* file = nullptr;
    sqlite3_file_control(handle_, "main", which, static_cast<void*>(&file));
    if (file != nullptr && file->pMethods != nullptr) observe_file(*file, observe);
  }
}

Database::~Database() {
  forget_statements();
  sqlite3_close(handle_);
}

void Database::forget_statements() {
  for (auto& [sql, statements] : idle_) {
    for (sqlite3_stmt* statement : std::exchange(statements, {})) sqlite3_finalize(statement);
  }
}

void Database::wait_for_locks(std::chrono::milliseconds busy_timeout) {
  busy_timeout_ = busy_timeout;
  sqlite3_busy_timeout(handle_, static_cast<int>(busy_timeout.count()));
}

void Database::release_memory() {
  forget_statements();
  sqlite3_db_release_memory(handle_);
}

void Database::release_pages() {
  sqlite3_db_release_memory(handle_);
}

void Database::fail(int code, std::string_view what) {
  std::string reason = handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  const int system = handle_ != nullptr ? sqlite3_system_errno(handle_) : 0;
  if ((code & 0xFF) == SQLITE_IOERR && (system == EFBIG || system == EDQUOT)) {
    // A limit of the process or the user: to the writer the disk is full.
    code = SQLITE_FULL;
    reason = fmt::format("database or disk is full ({})", std::strerror(system));
  } else if ((code & 0xFF) == SQLITE_BUSY) {
    // SQLite reports a file system without locks as one whose locks are held.
    if (const int failure = files::lock_failure(folder_of(path_)); failure != 0) {
      code = SQLITE_IOERR_LOCK;
      reason = fmt::format("the file system of {} has no locks ({}): move it to one that has",
                           path_.string(), std::strerror(failure));
    }
  }
  throw Error(code, fmt::format("database: cannot {}: {}", what, reason));
}

void Database::define(const char* name, TextTest test) {
  const auto call = [](sqlite3_context* context, int, sqlite3_value** values) {
    const auto text = [](sqlite3_value* value) {
      const auto* data = reinterpret_cast<const char*>(sqlite3_value_text(value));
      if (data == nullptr) return std::string_view();
      return std::string_view(data, static_cast<std::size_t>(sqlite3_value_bytes(value)));
    };
    const auto function = reinterpret_cast<TextTest>(sqlite3_user_data(context));
    sqlite3_result_int(context, function(text(values[0]), text(values[1])) ? 1 : 0);
  };
  const int code =
      sqlite3_create_function_v2(handle_, name, 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                 reinterpret_cast<void*>(test), call, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code, "define a function");
}

void Database::execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code, "run a statement");
}

Statement Database::prepare(std::string_view sql) {
  auto entry = idle_.find(sql);
  if (entry == idle_.end()) entry = idle_.try_emplace(std::string(sql)).first;
  std::vector<sqlite3_stmt*>& idle = entry->second;
  if (!idle.empty()) {
    sqlite3_stmt* statement = idle.back();
    idle.pop_back();
    return {*this, idle, statement};
  }
  const std::string text = numbered_parameters(sql);
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, text.data(), static_cast<int>(text.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) fail(code, "prepare a statement");
  return {*this, idle, statement};
}

std::int64_t Database::total_changes() const {
  return sqlite3_total_changes64(handle_);
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(handle_);
}

bool Database::in_transaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}

std::int64_t Database::last_insert_id() const {
  return sqlite3_last_insert_rowid(handle_);
}

std::int64_t Database::data_version() {
  Statement statement = prepare("PRAGMA data_version");
  statement.step();
  return statement.integer(0);
}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      idle_(other.idle_),
      statement_(std::exchange(other.statement_, nullptr)) {}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  idle_->push_back(statement_);
}

void Statement::reset() {
  sqlite3_reset(statement_);
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  database_->fail(code, "run a statement");
}

void Statement::bind_one(int index, std::string_view value) {
  // A null pointer would bind NULL instead of the empty text.
  const char* data = value.data() != nullptr ? value.data() : "";
  const int code =
      sqlite3_bind_text64(statement_, index, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) database_->fail(code, "bind a text");
}

void Statement::bind_integer(int index, std::int64_t value) {
  sqlite3_bind_int64(statement_, index, value);
}

void Statement::bind_one(int index, double value) {
  sqlite3_bind_double(statement_, index, value);
}

void Statement::bind_one(int index, std::nullptr_t) {
  sqlite3_bind_null(statement_, index);
}

std::string_view Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::optional<std::string> Statement::optional_string(int column) const {
  if (is_null(column)) return std::nullopt;
  return string(column);
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Statement::number(int column) const {
  return sqlite3_column_double(statement_, column);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Transaction::Transaction(Database& database) : database_(database) {
  database_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.execute("ROLLBACK");
  } catch (const Error&) {
    // SQLite has already rolled back, as it does by itself on some errors.
  }
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace molecule::sqlite

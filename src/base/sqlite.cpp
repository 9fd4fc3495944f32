#include "base/sqlite.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <utility>

#include "base/text/text.hpp"

namespace molecule::sqlite {

namespace {

/// SQLite would make the file with the umask's mode; its WAL takes the mode of the file. A file
/// that exists is not touched: closing it would drop the locks of this process's other connections.
void make_private_file(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
}

/// SQLite would begin each cache with 20 pages, most of which a small file never has; one by one is
/// as fast. Only before the first file is opened.
void take_pages_one_by_one() {
  [[maybe_unused]] static const int done = sqlite3_config(SQLITE_CONFIG_PAGECACHE, nullptr, 0, 0);
}

/// `$1` as `?1`: SQLite would number `$` parameters by their first appearance.
std::string numbered_parameters(std::string_view sql) {
  std::string text(sql);
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '$' && text[i + 1] >= '0' && text[i + 1] <= '9') text[i] = '?';
  }
  return text;
}

}  // namespace

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

Error Error::refused(const std::string& message) {
  return {SQLITE_NOTADB, message};
}

Database::Database(const std::filesystem::path& path, std::chrono::milliseconds busy_timeout) {
  make_private_file(path);
  open(path, path.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, busy_timeout,
       "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
       "PRAGMA cache_size=-512");
}

Database::Database(const std::filesystem::path& path, ReadOnly) {
  // Without a log nobody has it open, and the file is all there is; SQLite would make a log.
  const bool logged = ::access((path.string() + "-wal").c_str(), F_OK) == 0;
  const std::string name = fmt::format("file:{}?mode=ro{}", text::percent_encode(path.string()),
                                       logged ? "" : "&immutable=1");
  open(path, name, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, std::chrono::milliseconds(250),
       "PRAGMA query_only=ON");
}

void Database::open(const std::filesystem::path& path, const std::string& name, int flags,
                    std::chrono::milliseconds busy_timeout, const char* setup) {
  take_pages_one_by_one();
  const int code = sqlite3_open_v2(name.c_str(), &handle_,
                                   flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  try {
    if (code != SQLITE_OK) fail(code, "open " + path.string());
    wait_for_locks(busy_timeout);
    execute(setup);
  } catch (...) {
    sqlite3_close(std::exchange(handle_, nullptr));
    throw;
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

void Database::wait_for_locks(std::chrono::milliseconds most) {
  sqlite3_busy_timeout(handle_, static_cast<int>(most.count()));
}

void Database::release_memory() {
  forget_statements();
  sqlite3_db_release_memory(handle_);
}

void Database::fail(int code, std::string_view what) {
  const char* reason = handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  throw Error(code, fmt::format("database: cannot {}: {}", what, reason));
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

std::int64_t Database::changes() const {
  return sqlite3_changes64(handle_);
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

void Statement::bind_one(int index, std::int64_t value) {
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
    // SQLite has rolled back already: that is what some errors do by themselves.
  }
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace molecule::sqlite

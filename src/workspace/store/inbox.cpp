#include "workspace/store/inbox.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/files/files.hpp"
#include "base/json/writer.hpp"
#include "base/log.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "workspace/store/inbox_sql.hpp"

namespace molecule::workspace {

namespace {

using std::chrono::microseconds;

std::optional<std::string> state(sqlite::Database& database, std::string_view key) {
  sqlite::Statement statement = database.prepare("SELECT value FROM state WHERE key = ?1");
  statement.bind(key);
  if (!statement.step()) return std::nullopt;
  return statement.string(0);
}

void set_state(sqlite::Database& database, std::string_view key, std::string_view value) {
  database.prepare("INSERT OR REPLACE INTO state(key, value) VALUES(?1, ?2)")
      .bind(key, value)
      .run();
}

void clear_state(sqlite::Database& database, std::string_view key) {
  database.prepare("DELETE FROM state WHERE key = ?1").bind(key).run();
}

void set_time(sqlite::Database& database, std::string_view key, WallTime time) {
  set_state(database, key, format_rfc3339(time));
}

std::optional<WallTime> time_state(sqlite::Database& database, std::string_view key) {
  const auto text = state(database, key);
  return text ? parse_rfc3339(*text) : std::nullopt;
}

bool is_popped(sqlite::Database& database, const std::string& activity_id) {
  sqlite::Statement statement = database.prepare("SELECT 1 FROM popped WHERE activity_id = ?1");
  statement.bind(activity_id);
  return statement.step();
}

bool insert(sqlite::Database& database, const Message& m) {
  database
      .prepare(
          "INSERT OR IGNORE INTO messages(activity_id, text, peer_id, kind, method, created_at,"
          " peer_name, peer_role, sequence, agent_card_url, message_id, task_id)"
          " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")
      .bind(m.activity_id, m.text, m.peer_id, m.kind, m.method, m.created_at, m.peer_name,
            m.peer_role, m.sequence, m.agent_card_url, m.message_id, m.task_id)
      .run();
  return database.changes() > 0;
}

/// 0: nobody.
Sessions::Id owner_of(sqlite::Database& database) {
  sqlite::Statement statement =
      database.prepare("SELECT CAST(value AS INTEGER) FROM state WHERE key = 'owner'");
  return statement.step() ? statement.integer(0) : 0;
}

std::optional<std::string> read_cursor_file(const std::filesystem::path& path) {
  auto content = files::read(path, 4096);
  if (!content.ok()) return std::nullopt;
  const std::string_view cursor = text::trim(*content);
  if (!is_uuid(cursor)) return std::nullopt;
  return std::string(cursor);
}

std::filesystem::path cursor_file(const std::filesystem::path& state_folder) {
  return state_folder / ".mcp_inbox_cursor";
}

std::optional<WallTime> written_at(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return std::chrono::system_clock::from_time_t(status.st_mtime);
}

void write_attachments(json::Object& out, const std::vector<Attachment>& attachments) {
  auto list = out.array("attachments");
  for (const Attachment& file : attachments) {
    auto item = list.object();
    item.field("uri", file.uri);
    item.field("name", file.name);
    if (!file.mime_type.empty()) item.field("mimeType", file.mime_type);
    if (file.size) item.field("size", *file.size);
    if (!file.status.empty()) item.field("status", file.status);
  }
}

}  // namespace

Message read_message(const sqlite::Statement& row) {
  Message m;
  m.activity_id = row.string(0);
  m.text = row.string(1);
  m.peer_id = row.string(2);
  m.kind = row.string(3);
  m.method = row.string(4);
  m.created_at = row.string(5);
  m.peer_name = row.string(6);
  m.peer_role = row.string(7);
  m.agent_card_url = row.string(8);
  m.message_id = row.string(9);
  m.task_id = row.string(10);
  m.task = row.string(11);
  return m;
}

std::string to_json(const Message& message) {
  json::Writer writer;
  {
    auto object = writer.object();
    object.field("activity_id", message.activity_id);
    object.field("text", message.text);
    object.field("peer_id", message.peer_id);
    object.field("kind", message.kind);
    object.field("method", message.method);
    object.field("created_at", message.created_at);
    if (!message.peer_name.empty()) object.field("peer_name", message.peer_name);
    if (!message.peer_role.empty()) object.field("peer_role", message.peer_role);
    if (!message.agent_card_url.empty()) object.field("agent_card_url", message.agent_card_url);
    if (!message.task_id.empty()) object.field("task_id", message.task_id);
    if (!message.task.empty()) object.field("task", message.task);
    if (message.with_another_session) object.field("with_another_session", true);
    if (!message.arrival_workspace_id.empty()) {
      object.field("arrival_workspace_id", message.arrival_workspace_id);
    }
    if (!message.attachments.empty()) write_attachments(object, message.attachments);
  }
  return std::move(writer).take();
}

Inbox::Inbox(std::filesystem::path state_folder, Clock& clock)
    : state_folder_(std::move(state_folder)), sessions_(state_folder_, clock), clock_(clock) {}

sqlite::Database& Inbox::database() {
  if (database_) return *database_;
  const std::filesystem::path path = state_folder_ / "inbox.db";
  try {
    database_.emplace(path, busy_timeout);
    migrate(*database_);
    told_popped_ = number(*database_, "SELECT coalesce(max(popped_at), 0) FROM popped");
    database_->release_memory();
  } catch (const sqlite::Error& error) {
    database_.reset();
    if (!error.unusable_file()) throw;
    throw sqlite::Error(error.code(),
                        fmt::format("{} cannot be used as the inbox ({}): move it away, and a new "
                                    "one is made",
                                    path.string(), error.what()));
  }
  return *database_;
}

Inbox::NoWaiting::NoWaiting(Inbox& inbox) : inbox_(inbox) {
  if (inbox.database_) inbox.database_->wait_for_locks({});
}

Inbox::NoWaiting::~NoWaiting() {
  if (inbox_.database_) inbox_.database_->wait_for_locks(busy_timeout);
}

bool Inbox::owned_by_other(sqlite::Database& db) {
  const Sessions::Id owner = owner_of(db);
  return owner != 0 && sessions_.precedes(owner);
}

void Inbox::require_ownership(sqlite::Database& db) {
  const Sessions::Id owner = owner_of(db);
  if (owner != 0 && owner != sessions_.self()) throw NotTheOwner();
}

bool Inbox::claim() {
  sqlite::Database& db = database();
  if (owner_of(db) != sessions_.self()) {
    if (owned_by_other(db)) return false;
    sqlite::Transaction transaction(db);
    if (owned_by_other(db)) return false;
    set_state(db, "owner", std::to_string(sessions_.self()));
    take_cursor_file(db);
    // Before the commit: whoever finds the new owner must find its beat too.
    sessions_.beat();
    transaction.commit();
    ++claims_;
  }
  sessions_.beat();
  return true;
}

void Inbox::take_cursor_file(sqlite::Database& db) {
  const std::filesystem::path path = cursor_file(state_folder_);
  const auto moved_on = read_cursor_file(path);
  if (!moved_on) return;
  const bool same = moved_on == state(db, "cursor");
  if (same && state(db, "cursor_at")) return;
  if (!same) set_state(db, "cursor", *moved_on);
  if (const auto time = written_at(path)) set_time(db, "cursor_at", *time);
}

void Inbox::release_ownership() {
  if (!database_) return;
  database_->prepare("DELETE FROM state WHERE key = 'owner' AND CAST(value AS INTEGER) = ?1")
      .bind(sessions_.self())
      .run();
}

bool Inbox::changed_elsewhere() {
  if (std::exchange(look_again_, false)) return true;
  const std::int64_t version = database().data_version();
  return std::exchange(seen_version_, version).value_or(version) != version;
}

std::vector<Message> Inbox::store(const std::vector<Message>& messages, const std::string& cursor,
                                  std::int64_t sequence, std::optional<WallTime> cursor_created) {
  sqlite::Database& db = database();
  const WallTime now = clock_.wall();
  std::vector<Message> added;
  {
    sqlite::Transaction transaction(db);
    require_ownership(db);
    for (const Message& message : messages) {
      if (is_popped(db, message.activity_id)) continue;
      if (insert(db, message)) added.push_back(message);
    }
    set_state(db, "cursor", cursor);
    // In a backlog the rows behind the cursor are older than now.
    set_time(db, "cursor_at", std::min(now, cursor_created.value_or(now)));
    clear_state(db, "watched_since");
    if (sequence > 0) set_state(db, "sequence", std::to_string(sequence));
    transaction.commit();
  }
  write_cursor_file(cursor);
  if (!added.empty() && on_arrival) on_arrival();
  return added;
}

void Inbox::write_cursor_file(const std::string& cursor) {
  // Only a courtesy to the other runtime: where it is behind, ids keep what it gives again out.
  auto written = files::replace(cursor_file(state_folder_), cursor);
  if (!written.ok()) log::warning("inbox: {}", written.error().message);
}

std::int64_t Inbox::handled_sequence() {
  sqlite::Database& db = database();
  const std::int64_t highest =
      number(db, "SELECT CAST(value AS INTEGER) FROM state WHERE key = 'sequence'");
  sqlite::Statement first = db.prepare("SELECT min(sequence) FROM messages");
  first.step();
  // One without a sequence has 0: nothing is known then until it is popped.
  const std::int64_t before = first.is_null(0) ? highest : first.integer(0) - 1;
  return std::clamp<std::int64_t>(before, 0, highest);
}

std::optional<std::string> Inbox::cursor() {
  return state(database(), "cursor");
}

std::optional<WallTime> Inbox::watched_since() {
  return time_state(database(), "watched_since");
}

void Inbox::watch_since(WallTime time) {
  sqlite::Database& db = database();
  sqlite::Transaction transaction(db);
  require_ownership(db);
  set_time(db, "watched_since", time);
  transaction.commit();
}

void Inbox::forget_cursor(std::optional<WallTime> last_poll) {
  sqlite::Database& db = database();
  {
    sqlite::Transaction transaction(db);
    require_ownership(db);
    const auto since = last_poll ? last_poll : time_state(db, "cursor_at");
    clear_state(db, "cursor");
    clear_state(db, "cursor_at");
    clear_state(db, "watched_since");
    // The rows may be another database's now, numbered anew.
    clear_state(db, "sequence");
    if (since) set_time(db, "watched_since", *since);
    transaction.commit();
  }
  ::unlink(cursor_file(state_folder_).c_str());
}

std::optional<Message> Inbox::oldest() {
  std::vector<Message> first = peek(1);
  if (first.empty()) return std::nullopt;
  return std::move(first.front());
}

std::optional<Message> Inbox::find(std::string_view activity_id) {
  sqlite::Statement row = database().prepare(std::string(select_told) + "WHERE m.activity_id = ?1");
  row.bind(activity_id);
  if (!row.step()) return std::nullopt;
  return read_told(row);
}

std::vector<Message> Inbox::peek(std::size_t limit, Which which) {
  const char* condition = which == Which::available ? available : "?1 IS NOT NULL ";
  sqlite::Statement row = database().prepare(std::string(select_told) + "WHERE " + condition +
                                             "ORDER BY m.seq LIMIT ?2");
  row.bind(sessions_.self(), static_cast<std::int64_t>(limit));
  std::vector<Message> messages;
  while (row.step()) messages.push_back(read_told(row));
  return messages;
}

void Inbox::remember_task(std::string_view task_id, std::string_view peer_id,
                          std::string_view text) {
  sqlite::Database& db = database();
  const std::int64_t now = to_micros(clock_.wall());
  const std::string shown(text::prefix_characters(text::one_line(text), most_task_characters));
  sqlite::Transaction transaction(db);
  db.prepare("INSERT OR REPLACE INTO tasks(task_id, peer_id, task, sent_at) VALUES(?1, ?2, ?3, ?4)")
      .bind(task_id, peer_id, shown, now)
      .run();
  db.prepare("DELETE FROM tasks WHERE sent_at < ?1")
      .bind(now - microseconds(popped_kept).count())
      .run();
  transaction.commit();
}

void Inbox::keep_card(std::string_view card, std::string_view replaced) {
  sqlite::Database& db = database();
  sqlite::Transaction transaction(db);
  set_state(db, "card", card);
  set_state(db, "card_replaced", replaced);
  transaction.commit();
}

std::optional<std::string> Inbox::card_instead_of(std::string_view replaced) {
  sqlite::Database& db = database();
  if (state(db, "card_replaced") != replaced) return std::nullopt;
  return state(db, "card");
}

bool Inbox::has_from(std::string_view peer_id) {
  sqlite::Statement row = database().prepare("SELECT 1 FROM messages WHERE peer_id = ?1 LIMIT 1");
  row.bind(peer_id);
  return row.step();
}

std::size_t Inbox::size() {
  return static_cast<std::size_t>(number(database(), "SELECT count(*) FROM messages"));
}

}  // namespace molecule::workspace

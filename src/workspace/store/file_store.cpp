#include "workspace/store/file_store.hpp"

#include <chrono>
#include <utility>

#include "base/text/text.hpp"
#include "base/text/time.hpp"
#include "base/uuid.hpp"

namespace molecule::workspace {

namespace {

/// This many stay however old they seem: a clock that was wrong once must not make known files new.
constexpr int min_kept = 10'000;

// state: pending → here (fetched, not acknowledged) → done; pending → gone, failed; any → own.
constexpr const char* schema = R"sql(
  CREATE TABLE IF NOT EXISTS uploads(
    file_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    size INTEGER,
    state TEXT NOT NULL,
    path TEXT NOT NULL DEFAULT '',
    tries INTEGER NOT NULL DEFAULT 0,
    added_at INTEGER NOT NULL,
    mime_type TEXT NOT NULL DEFAULT ''
  ) STRICT;
  CREATE TABLE IF NOT EXISTS attachments(
    activity_id TEXT NOT NULL COLLATE NOCASE,
    position INTEGER NOT NULL,
    file_id TEXT,
    uri TEXT NOT NULL,
    name TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    size INTEGER,
    added_at INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT '',  -- why the file was not accepted
    PRIMARY KEY(activity_id, position)
  ) STRICT, WITHOUT ROWID;
)sql";

bool has_column(sqlite::Database& db, std::string_view table, std::string_view column) {
  auto row = db.prepare("SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2");
  row.bind(table, column);
  return row.step();
}

/// A text column that an older version's table lacks.
void add_column(sqlite::Database& db, std::string_view table, std::string_view column,
                const char* change) {
  if (has_column(db, table, column)) return;
  sqlite::Transaction transaction(db);
  if (has_column(db, table, column)) return;
  db.execute(change);
  transaction.commit();
}

void make_tables(sqlite::Database& db) {
  db.execute(schema);
  add_column(db, "uploads", "mime_type",
             "ALTER TABLE uploads ADD COLUMN mime_type TEXT NOT NULL DEFAULT ''");
  add_column(db, "attachments", "status",
             "ALTER TABLE attachments ADD COLUMN status TEXT NOT NULL DEFAULT ''");
}

std::string file_uri(std::string_view path) {
  std::string uri = "file://";
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    uri += '/' + text::percent_encode(segment);
    path.remove_prefix(segment.size());
  }
  return uri;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

std::optional<std::string> pending_file_id(std::string_view uri) {
  if (!uri.starts_with("platform-pending:")) return std::nullopt;
  const std::string_view id = uri.substr(uri.rfind('/') + 1);
  if (!is_uuid(id)) return std::nullopt;
  return text::lower(id);
}

FileStore::FileStore(const std::filesystem::path& state_folder, Clock& clock, const Timing& timing)
    : database_(state_folder / "files.db", "the list of received files", make_tables, timing),
      clock_(clock),
      timing_(timing) {}

void FileStore::add(const std::vector<Upload>& uploads, const std::vector<Message>& messages) {
  bool nothing = uploads.empty();
  for (const Message& message : messages) nothing = nothing && message.attachments.empty();
  if (nothing) return;
  const std::int64_t now = to_micros(clock_.wall());
  database_.use([&](sqlite::Database& db) {
    sqlite::Transaction transaction(db);
    for (const Upload& upload : uploads) {
      db.prepare(
            "INSERT INTO uploads(file_id, name, size, state, added_at, mime_type)"
            " VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
            " ON CONFLICT DO UPDATE SET state = 'own' WHERE excluded.state = 'own'")
          .bind(upload.file_id, upload.name, upload.size, upload.own ? "own" : "pending", now,
                upload.mime_type)
          .run();
    }
    for (const Message& message : messages) {
      int position = 0;
      for (const Attachment& file : message.attachments) {
        db.prepare(
              "INSERT OR IGNORE INTO attachments(activity_id, position, file_id, uri, name,"
              " mime_type, size, added_at, status)"
              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
            .bind(message.activity_id, position++, pending_file_id(file.uri), file.uri, file.name,
                  file.mime_type, file.size, now, file.status)
            .run();
      }
    }
    const std::int64_t oldest = now - std::chrono::microseconds(timing_.removed_kept).count();
    db.prepare(
          "DELETE FROM uploads WHERE added_at < ?1 AND rowid <="
          " (SELECT max(rowid) FROM uploads) - ?2")
        .bind(oldest, min_kept)
        .run();
    db.prepare(
          "DELETE FROM attachments WHERE added_at < ?1 AND added_at <="
          " (SELECT added_at FROM attachments ORDER BY added_at DESC LIMIT 1 OFFSET ?2)"
          " AND NOT EXISTS (SELECT 1 FROM uploads WHERE uploads.file_id = attachments.file_id)")
        .bind(oldest, min_kept)
        .run();
    transaction.commit();
  });
}

std::vector<FileStore::Pending> FileStore::pending() {
  std::vector<Pending> found;
  if (!database_.exists()) return found;
  database_.use([&found](sqlite::Database& db) {
    auto row = db.prepare(
        "SELECT file_id, name, size, path, tries, mime_type FROM uploads"
        " WHERE state IN ('pending', 'here') ORDER BY tries, added_at, rowid");
    while (row.step()) {
      Upload upload{.file_id = row.string(0),
                    .name = row.string(1),
                    .size = std::nullopt,
                    .mime_type = row.string(5)};
      if (!row.is_null(2)) upload.size = row.integer(2);
      found.push_back({.upload = std::move(upload),
                       .path = row.string(3),
                       .tries = static_cast<int>(row.integer(4))});
    }
  });
  return found;
}

bool FileStore::is_pending(const std::string& file_id) {
  return database_.use([&file_id](sqlite::Database& db) {
    auto row =
        db.prepare("SELECT 1 FROM uploads WHERE file_id = ?1 AND state IN ('pending', 'here')");
    row.bind(file_id);
    return row.step();
  });
}

bool FileStore::untried(const std::vector<Message>& messages) {
  std::vector<std::string> ids;
  for (const Message& message : messages) {
    for (const Attachment& file : message.attachments) {
      if (auto id = pending_file_id(file.uri)) ids.push_back(std::move(*id));
    }
  }
  if (ids.empty()) return false;
  return database_.use([&ids](sqlite::Database& db) {
    for (const std::string& id : ids) {
      auto row = db.prepare(
          "SELECT 1 FROM uploads WHERE file_id = ?1 AND state = 'pending' AND tries = 0");
      row.bind(id);
      if (row.step()) return true;
    }
    return false;
  });
}

void FileStore::tried(const std::string& file_id) {
  database_.use([&file_id](sqlite::Database& db) {
    db.prepare("UPDATE uploads SET tries = tries + 1 WHERE file_id = ?1").bind(file_id).run();
  });
}

bool FileStore::here(const std::string& file_id, const std::string& path) {
  return database_.use([&file_id, &path](sqlite::Database& db) {
    db.prepare(
          "UPDATE uploads SET state = 'here', path = ?2 WHERE file_id = ?1 AND state = 'pending'")
        .bind(file_id, path)
        .run();
    return db.changes() > 0;
  });
}

void FileStore::change_state(const std::string& file_id, std::string_view from,
                             std::string_view to) {
  database_.use([&](sqlite::Database& db) {
    db.prepare("UPDATE uploads SET state = ?3 WHERE file_id = ?1 AND state = ?2")
        .bind(file_id, from, to)
        .run();
  });
}

void FileStore::acknowledged(const std::string& file_id) {
  change_state(file_id, "here", "done");
}

void FileStore::gone(const std::string& file_id) {
  change_state(file_id, "pending", "gone");
}

void FileStore::give_up(const std::string& file_id) {
  change_state(file_id, "pending", "failed");
}

void FileStore::complete(Message& message) {
  if (!database_.exists()) return;
  database_.use([&message](sqlite::Database& db) {
    auto row = db.prepare(
        "SELECT a.uri, a.name, a.mime_type, a.size, ifnull(u.path, ''), ifnull(u.state, ''),"
        " a.status"
        " FROM attachments a LEFT JOIN uploads u ON u.file_id = a.file_id"
        " WHERE a.activity_id = ?1 ORDER BY a.position");
    row.bind(message.activity_id);
    message.attachments.clear();
    while (row.step()) {
      Attachment file{.uri = row.string(0), .name = row.string(1), .mime_type = row.string(2)};
      if (!row.is_null(3)) file.size = row.integer(3);
      file.status = row.string(6);
      if (!row.text(4).empty()) {
        const std::string local = file_uri(row.text(4));
        replace_all(message.text, file.uri, local);
        file.uri = local;
      } else if (row.text(5) == "pending") {
        file.status = "not fetched yet";
      } else if (row.text(5) == "gone") {
        file.status = "gone from the platform";
      } else if (row.text(5) == "failed") {
        file.status = "could not be received: too large, or not of the size it should have";
      }
      message.attachments.push_back(std::move(file));
    }
  });
}

}  // namespace molecule::workspace

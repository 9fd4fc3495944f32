#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "server/metrics/store_metrics.hpp"
#include "server/store/rows.hpp"
#include "server/store/signals.hpp"
#include "server/store/store_error.hpp"
#include "server/store/value.hpp"

namespace molecule::server::store {

/// Which memories a search reads (platform-api.md 6.2).
struct MemorySearch {
  /// LOCAL, TEAM, GLOBAL; empty for all of the reader's own.
  std::string_view scope;
  std::string_view reader;
  /// The root of the reader's team: its parent, or itself.
  std::string_view team;
  std::optional<std::string_view> name_space;
  /// As the user typed it; empty for the newest memories.
  std::string_view query;
  int limit = 0;
};

/// One unit of work on the store, such as a request or a sweep. Statements are written once, in the
/// SQL that all engines share: `$1` for parameters, RETURNING, ON CONFLICT, no implicit casts. What
/// engines spell differently is a function of this class. Every function may throw `StoreError`,
/// from the call or from its await.
class Session {
 public:
  virtual ~Session() = default;

  /// Starts a transaction that may write. Without it nothing may be written, and each
  /// statement sees what is durable.
  virtual awaitable<void> begin() = 0;
  /// Returns once everything since `begin` is durable. A session that ends without a commit is
  /// rolled back.
  virtual awaitable<void> commit() = 0;

  /// Keeps other sessions that lock the same name out until this session's transaction has ended,
  /// so that what it reads and then changes is not changed in between. Does nothing outside of a
  /// transaction, and where transactions never overlap. Takes effect before the next statement.
  virtual void lock(std::string_view name) = 0;

  /// Values are copied before this returns. Read at least one row of a statement that writes.
  template <class... Args>
  awaitable<Rows> query(std::string_view sql, const Args&... args) {
    const std::array<Value, sizeof...(Args)> values{Value(args)...};
    return query_values(sql, values);
  }
  template <class... Args>
  RowStream stream(std::string_view sql, const Args&... args) {
    const std::array<Value, sizeof...(Args)> values{Value(args)...};
    return stream_values(sql, values);
  }
  /// Returns the number of rows that were inserted, updated or deleted.
  template <class... Args>
  awaitable<std::int64_t> execute(std::string_view sql, const Args&... args) {
    const std::array<Value, sizeof...(Args)> values{Value(args)...};
    return execute_values(sql, values);
  }
  /// Returns false if the statement fails; the transaction continues without it.
  template <class... Args>
  awaitable<bool> try_execute(std::string_view sql, const Args&... args) {
    const std::array<Value, sizeof...(Args)> values{Value(args)...};
    return try_execute_values(sql, values);
  }

  /// id, workspace_id, content, scope, namespace, created_at; the best or the newest first. A query
  /// of one byte matches anywhere, a longer one by its words, all of which must occur.
  virtual RowStream search_memories(const MemorySearch& search) = 0;
  /// Messages and memories of a workspace, or of all if `workspace_id` is empty, that contain
  /// `text`, newest first: kind (activity, memory), id, workspace_id, label, content (of a memory),
  /// request_body, response_body, method, status, created_at, the workspace's name. Of each kind
  /// only the newest `search_window` are looked through, and at most 1,000 come back.
  RowStream search_everything(std::string_view workspace_id, std::string_view text) {
    return search_window_before(workspace_id, text, std::nullopt);
  }
  /// The same of the newest `older_window` messages before that row, without memories.
  RowStream search_older(std::string_view workspace_id, std::string_view text,
                         std::int64_t before_seq) {
    return search_window_before(workspace_id, text, before_seq);
  }
  static constexpr int search_window = 20'000;
  /// Some milliseconds of SQLite's, which holds up others meanwhile.
  static constexpr int older_window = 4'000;
  /// The newest 50 delegation rows, those of a workspace and those that others made to it: id,
  /// activity_type, source_id, target_id, summary, status, created_at, delegation id, error_detail,
  /// the answer's first 301 characters.
  virtual awaitable<Rows> list_delegations(std::string_view workspace_id) = 0;

 protected:
  virtual RowStream search_window_before(std::string_view workspace_id, std::string_view text,
                                         std::optional<std::int64_t> before_seq) = 0;
  virtual awaitable<Rows> query_values(std::string_view sql, std::span<const Value> values) = 0;
  virtual RowStream stream_values(std::string_view sql, std::span<const Value> values) = 0;
  virtual awaitable<std::int64_t> execute_values(std::string_view sql,
                                                 std::span<const Value> values) = 0;
  virtual awaitable<bool> try_execute_values(std::string_view sql,
                                             std::span<const Value> values) = 0;
};

/// The platform's store. It must outlive its sessions.
class Database {
 public:
  virtual ~Database() = default;
  virtual std::unique_ptr<Session> session() = 0;
  /// True if other processes may use the store at the same time, and transactions overlap.
  virtual bool shared() const = 0;
  /// True if the store's files were removed or replaced: nothing written from then on is kept.
  virtual bool replaced() const = 0;
  /// Housekeeping: gives back the disk space of a log that has grown beyond its limit. Does nothing
  /// while another process is in the way.
  virtual void shrink_log() = 0;
  /// Housekeeping that is best done while nothing else happens; call it about every second.
  virtual void use_idle_time() = 0;
  /// True while what has to be kept waits for longer than requests do.
  virtual bool silent() const { return false; }
  /// Ends what runs beside the loop, after the loop has ended and before its handlers go.
  virtual void stop() {}
  /// How the processes that share the store reach each other; null where only one may use it.
  virtual Signals* signals() { return nullptr; }

  /// The engine and its version, for operators.
  virtual std::string engine() const = 0;
  virtual awaitable<StoreSize> size() = 0;
  const StoreMetrics& metrics() const { return metrics_; }

 protected:
  /// For the engine to count in.
  StoreMetrics metrics_;
};

/// Opens the store in `file`: creates it if it is missing, and upgrades it to this program's
/// version. Throws `StoreError`, also if a newer version wrote the store.
std::unique_ptr<Database> open(const std::filesystem::path& file);

/// The same for a database of a server, `postgres://…`, which several processes may use. `password`
/// is that of a credential. Blocks, at most for some seconds if the server is away.
std::unique_ptr<Database> open_server(const std::string& url,
                                      const std::optional<std::string>& password = std::nullopt,
                                      int connections = 4);

}  // namespace molecule::server::store

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

#include "base/async/clock.hpp"
#include "base/sqlite.hpp"
#include "server/api/events/events.hpp"

namespace molecule::server {

/// What every handler works with. Handlers are plain functions `Reply f(Context&, const Request&)`
/// on the one thread; the router runs each that is not a GET inside one transaction, commits it
/// (durably) before the reply is sent, rolls it back where the reply is an error (status >= 400)
/// or an exception escapes, and only then lets the events out.
struct Context {
  sqlite::Database& database;
  Clock& clock;
  Events& events;
  /// Equal in power to the platform's owner; never empty (fail closed).
  std::string admin_token;
  /// Where the platform is reached, for the snippets that people copy: scheme://host[:port]. Empty:
  /// where the request came in (its Host).
  std::string base_url;
  /// Larger request bodies are answered 413.
  std::size_t max_body_bytes = std::size_t{16} << 20;
  /// The same for files on their way to a workspace: 100 MiB of them and what frames them.
  std::size_t max_upload_bytes = std::size_t{101} << 20;
  /// The folder of the files that wait for a workspace; it exists.
  std::filesystem::path uploads = {};
  /// Ids of tokens that were used and whose last_used_at the next sweep writes (best effort).
  std::set<std::string> tokens_used;
  /// Micros of the last `now_micros`, so that no two rows share a time.
  std::int64_t last_micros = 0;
};

/// Wall-clock time in microseconds, strictly increasing within a process.
std::int64_t now_micros(Context& context);

/// Makes or upgrades the tables. Throws `sqlite::Error`.
void create_schema(sqlite::Database& database);

}  // namespace molecule::server

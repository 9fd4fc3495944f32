#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "base/async/clock.hpp"
#include "server/api/events/events.hpp"
#include "server/store/database.hpp"

namespace molecule::server {

/// What all requests share.
struct Services {
  store::Database& store;
  Clock& clock;
  EventHub& events;
  /// Equal in power to the platform's owner; never empty (fail closed).
  std::string admin_token;
  /// Where the platform is reached, for the snippets that users copy: scheme://host[:port]. Empty:
  /// the Host of the request.
  std::string base_url;
  /// Larger request bodies are answered 413.
  std::size_t max_body_bytes = std::size_t{16} << 20;
  /// The same for files on their way to a workspace: 100 MiB and the form around them.
  std::size_t max_upload_bytes = std::size_t{101} << 20;
  /// The folder of the files that wait for a workspace; it exists.
  std::filesystem::path uploads = {};
  /// Ids of tokens that were used and whose last_used_at the next sweep writes (best effort).
  std::set<std::string> tokens_used = {};
  /// The last value of `now_micros`, so that no two rows share a time.
  std::int64_t last_micros = 0;
};

/// Wall-clock time in microseconds, strictly increasing within a process.
std::int64_t now_micros(Services& services);

/// What a handler works with: the store and the events of its own request. For every request but
/// a GET the router begins a transaction, commits it (durably) before the reply is sent, and lets
/// the events out then; a reply that is an error (status >= 400) or an exception undoes it all.
struct Context {
  /// `services` must outlive this.
  explicit Context(Services& services);

  std::int64_t now_micros() { return server::now_micros(services); }
  /// The time in microseconds as the clock has it.
  std::int64_t wall_micros() const;

  Services& services;

 private:
  std::unique_ptr<store::Session> session_;

 public:
  store::Session& store;
  EventQueue events;
  /// See `Access::body_workspace`.
  bool body_access_decided = false;
};

}  // namespace molecule::server

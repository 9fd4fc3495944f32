#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/async/clock.hpp"
#include "server/api/events/events.hpp"
#include "server/api/limits/limits.hpp"
#include "server/api/limits/refusals.hpp"
#include "server/api/limits/request_rates.hpp"
#include "server/api/registry/presence.hpp"
#include "server/metrics/request_metrics.hpp"
#include "server/store/database.hpp"

namespace molecule::server {

/// What the login of the person's browser needs to know (page.md 1).
struct LoginInfo {
  /// The cookie's name. It has the port at which browsers reach the platform, because they send
  /// cookies to every port of a host.
  std::string cookie = "molecule_session";
  /// The path below which browsers send it, with a slash at its end.
  std::string cookie_path = "/";
  /// The file of the admin token; empty if the variable ADMIN_TOKEN gave it.
  std::string token_file = {};
  /// The command that prints a one-time link.
  std::string link_command = "molecule-platform login-link";
  std::filesystem::path data = {};
  std::int64_t started_at = 0;
};

/// The state that all requests share.
struct Services {
  store::Database& store;
  Clock& clock;
  EventHub& events;
  /// Grants every right of the platform's owner; never empty (fail closed).
  std::string admin_token;
  /// The platform's public URL for the snippets that users copy: scheme://host[:port][/path].
  /// Empty: the request's Host.
  std::string base_url;
  /// Larger request bodies are refused with 413.
  std::size_t max_body_bytes = std::size_t{16} << 20;
  /// The same for uploads: 100 MiB of files and the form around them.
  std::size_t max_upload_bytes = std::size_t{101} << 20;
  /// The folder of files waiting for a workspace; must exist.
  std::filesystem::path uploads = {};
  /// Ids of tokens used since the last sweep; the next one writes their last_used_at (best effort).
  std::set<std::string> tokens_used = {};
  LoginInfo login = {};
  /// The highest row that each agent was handed (page.md 2.4), and whose is not in the store yet.
  std::map<std::string, std::int64_t, std::less<>> handed_out = {};
  std::set<std::string> unsaved_marks = {};
  /// Ids of sessions used since the last sweep.
  std::set<std::string> sessions_used = {};
  /// The last value of `now_micros`, so that no two rows share a time.
  std::int64_t last_micros = 0;
  Limits limits = {};
  /// How long an agent that runs elsewhere may be silent (platform-api.md 2.6).
  std::chrono::seconds stale_after{90};
  Refusals refusals = {};
  RequestRates rates{clock};
  Presence presence = {};
  RequestMetrics requests = {};
  /// What the HTTP server says about itself; empty without one.
  std::function<TransportMetrics()> transport = {};
  /// Ends soon: load balancers should send new requests elsewhere.
  bool draining = false;
  /// The highest row that each workspace has fetched since the start: what is above it waits.
  std::map<std::string, std::int64_t, std::less<>> fetched = {};
  /// When each of the platform's own tasks last ran.
  struct Tick {
    std::chrono::system_clock::time_point wall;
    Clock::time_point at;
  };
  std::map<std::string, Tick, std::less<>> ticks = {};
};

/// Records that one of the platform's own tasks has run.
void note_tick(Services& services, std::string_view task);

/// Wall-clock time in microseconds, strictly increasing within a process unless the clock is set
/// back by more than a second.
std::int64_t now_micros(Services& services);

/// What a handler works with: the store session and the events of its own request. For every
/// request but a GET the router begins a transaction, commits it durably, and then sends the reply
/// and the events. An error reply (status >= 400) or an exception rolls everything back.
struct Context {
  /// `services` must outlive this.
  explicit Context(Services& services);

  /// Begins the transaction of a route that writes on demand; the router commits it. Read again
  /// what was read before.
  awaitable<void> begin_writing();
  bool writing() const { return writing_; }

  std::int64_t now_micros() { return server::now_micros(services); }
  /// Wall-clock time in microseconds, unadjusted: successive values may be equal.
  std::int64_t wall_micros() const;
  /// A new row's id: a UUID that sorts by time (version 7), so that an index of them grows at its
  /// end.
  std::string new_id();

  Services& services;

 private:
  std::unique_ptr<store::Session> session_;
  bool writing_ = false;

 public:
  store::Session& store;
  EventQueue events;
  /// See `Access::body_workspace`.
  bool body_access_decided = false;
  /// The handler found the request's credential right, where the route leaves that to it: a
  /// workspace's token with its body, or what a login is made from.
  bool credential_shown = false;
  /// The request has a wrong one, although its route asks for none.
  bool wrong_credential = false;
  /// The request revoked tokens: who still listens with one is disconnected after the commit.
  bool tokens_revoked = false;
};

}  // namespace molecule::server

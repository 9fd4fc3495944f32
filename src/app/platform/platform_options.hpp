#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "server/api/limits/limits.hpp"

namespace molecule::app {

/// What the arguments and the environment of molecule-platform ask for.
struct PlatformOptions {
  /// `login-link`: print a one-time link of the platform that runs on `data`, and end.
  bool login_link = false;
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  std::filesystem::path data;
  /// --store, or MOLECULE_STORE: the URL of a PostgreSQL database; empty: a file in the data
  /// folder.
  std::string store;
  /// The credential STORE_PASSWORD.
  std::optional<std::string> store_password;
  int store_connections = 4;
  /// --uploads; empty: a folder in the data folder.
  std::filesystem::path uploads;
  std::vector<std::string> allowed_hosts;
  /// ADMIN_TOKEN; empty: the one in the data folder.
  std::string admin_token;
  /// CORS_ORIGINS, or its default.
  std::vector<std::string> origins;
  /// --public-url or EXTERNAL_PLATFORM_URL without trailing slashes; empty: the Host of each
  /// request.
  std::string external_url;
  /// `health`: ask the platform at that address, and end.
  bool health = false;
  /// `backup FILE` or `restore FILE`: do that with the store in `data`, and end.
  enum class Copy { none, backup, restore };
  Copy copy = Copy::none;
  std::filesystem::path backup;
  /// restore: replace a store that is there.
  bool force = false;
  /// backup, restore: print JSON.
  bool json = false;
  /// --metrics-listen; an empty host: only /metrics with the admin token.
  std::string metrics_host;
  std::uint16_t metrics_port = 0;
  /// --drain-delay: how long to go on after SIGTERM while /ready says 503.
  std::chrono::seconds drain_delay{0};
  /// A socket that listens already, from the service manager; -1: none.
  int listening = -1;
  /// --limits, then RATE_LIMIT and ACTIVITY_RETENTION_DAYS, then --limit.
  server::Limits limits;
  /// REMOTE_LIVENESS_STALE_AFTER: how long an agent may be silent before it is away.
  std::chrono::seconds stale_after{90};
};

/// How the program ends: what to print where, and the exit code.
struct Exit {
  int code = 0;
  std::string out;
  std::string err;
};

/// The options; or how to exit after --help and --version (0) and for wrong usage (2).
std::variant<PlatformOptions, Exit> parse_platform_options(int argc, char** argv);

/// `HOST:PORT`, with brackets round an IPv6 address; false for anything else. The host must be an
/// address or `localhost`.
bool parse_listen(std::string_view text, std::string& host, std::uint16_t& port);

/// The port that browsers use for `url`; `otherwise` if it is empty.
std::uint16_t public_port(std::string_view url, std::uint16_t otherwise);

/// The host as it is written in a URL.
std::string url_host(std::string_view host);

}  // namespace molecule::app

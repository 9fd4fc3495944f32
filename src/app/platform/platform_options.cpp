#include "app/platform/platform_options.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <asio/ip/address.hpp>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <sstream>

#include "base/files/files.hpp"
#include "base/files/paths.hpp"
#include "base/result.hpp"
#include "base/text/byte_order_mark.hpp"
#include "base/text/text.hpp"
#include "server/api/routes.hpp"
#include "server/http/http_gate.hpp"
#include "server/http/http_request.hpp"

namespace molecule::app {

namespace {

constexpr const char* description =
    "A Molecule platform on this machine: the HTTP API that molecule-mcp uses, stored in SQLite\n"
    "or in PostgreSQL.\n"
    "Prints `listening on http://HOST:PORT` when it is ready.";

constexpr const char* footer = R"help(
Environment:
  ADMIN_TOKEN            the admin token; otherwise the credential ADMIN_TOKEN that systemd hands
                         over, otherwise DIR/admin_token, created at the first start
  MOLECULE_STORE         what --store says if it is not given
  PGPASSFILE             the file with the password of --store (~/.pgpass); the credential
                         STORE_PASSWORD that systemd hands over comes first
  EXTERNAL_PLATFORM_URL  the same as --public-url
  CORS_ORIGINS           other sites whose pages may call it, separated by commas
  RATE_LIMIT             requests with one agent's token in a minute (600), and as many without a
                         valid one from one address; 0: any number
  ACTIVITY_RETENTION_DAYS
                         days for which messages are kept (30)
  REMOTE_LIVENESS_STALE_AFTER
                         seconds of silence after which an agent is away (90)
  MOLECULE_LOG           what goes to stderr: debug, info, warning (the default) or error
  MOLECULE_ALLOW_CORE_DUMPS
                         any value: allow core dumps, which contain tokens, and debuggers

Examples:
  molecule-platform
  molecule-platform --listen 127.0.0.1:0 --data /tmp/try
  molecule-platform health --listen 127.0.0.1:8080
  molecule-platform login-link
  molecule-platform --store postgres://molecule@db.example.org/molecule --uploads /srv/uploads
  molecule-platform backup /var/backups/molecule.backup
  molecule-platform restore /var/backups/molecule.backup --force
  curl -H "Authorization: Bearer $(cat ~/.local/share/molecule-platform/admin_token)" \
    http://127.0.0.1:8080/workspaces

A service manager may pass the listening socket (LISTEN_FDS), and is told how the
platform is (NOTIFY_SOCKET, WATCHDOG_USEC).

Exit codes: 0 after SIGINT, SIGTERM or SIGHUP; 1 if it cannot run or is not well; 2 for wrong usage.)help";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::filesystem::path default_data() {
  const std::string home = environment("HOME");
  // The XDG specification says to ignore paths that are not absolute.
  const auto data_home = files::configured_path(environment("XDG_DATA_HOME"), home);
  if (data_home) return *data_home / "molecule-platform";
  if (home.empty()) return {};
  return std::filesystem::path(home) / ".local" / "share" / "molecule-platform";
}

/// Exact strings between commas, as on the hosted platform.
std::vector<std::string> read_origins() {
  const char* listed = std::getenv("CORS_ORIGINS");
  if (listed == nullptr) return {"http://localhost:3000", "http://localhost:3001"};
  return text::split_list(listed, ',');
}

/// The problem with a limit in the environment, if there is one. Unset and empty change nothing.
std::optional<std::string> environment_limit(const char* variable, std::string_view name,
                                             server::Limits& limits) {
  const std::string value(text::trim(environment(variable)));
  if (value.empty()) return std::nullopt;
  auto problem = server::set_limit(limits, name, value);
  if (problem) return std::string(variable) + ": " + *std::move(problem);
  return std::nullopt;
}

std::optional<std::string> read_limits_file(const std::string& path, server::Limits& limits) {
  const auto text = files::read(path);
  if (!text) return "--limits: " + text.error().message;
  auto problem = server::read_limits(limits, *text);
  if (problem) return "--limits: " + path + ": " + *std::move(problem);
  return std::nullopt;
}

/// Later ones win: the file, the environment, the flags.
std::optional<std::string> collect_limits(const std::string& file,
                                          const std::vector<std::string>& flags,
                                          server::Limits& limits) {
  std::optional<std::string> problem;
  if (!file.empty()) problem = read_limits_file(file, limits);
  for (const char* name : {"requests-per-minute", "client-requests-per-minute"}) {
    if (!problem) problem = environment_limit("RATE_LIMIT", name, limits);
  }
  if (!problem) problem = environment_limit("ACTIVITY_RETENTION_DAYS", "message-days", limits);
  for (std::size_t i = 0; !problem && i < flags.size(); ++i) {
    const std::string& flag = flags[i];
    const std::size_t sign = std::min(flag.find('='), flag.size());
    const std::string value = flag.substr(std::min(sign + 1, flag.size()));
    problem = server::set_limit(limits, flag.substr(0, sign), value);
    if (problem) problem = "--limit: " + *problem;
  }
  return problem;
}

bool read_stale_after(PlatformOptions& options) {
  const std::string text(text::trim(environment("REMOTE_LIVENESS_STALE_AFTER")));
  if (text.empty()) return true;
  constexpr int min_seconds = 30;  // a heartbeat comes every 20
  constexpr int max_seconds = 24 * 3600;
  int seconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failure != std::errc() || end != text.data() + text.size()) return false;
  options.stale_after = std::chrono::seconds(seconds);
  return seconds >= min_seconds && seconds <= max_seconds;
}

bool is_url(std::string_view text) {
  const bool plain = text.find_first_not_of(
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                         "0123456789-._~:/[]%") == std::string_view::npos;
  return plain && (text.starts_with("http://") || text.starts_with("https://"));
}

/// The first part of its path may not be one of the platform's own, or a request would be taken for
/// another one.
bool hides_a_route(std::string_view url) {
  const std::string_view prefix = server::prefix_of(url);
  const std::string_view first = prefix.substr(0, prefix.find('/', 1));
  const std::vector<server::Route> routes = server::all_routes();
  return !first.empty() && std::ranges::any_of(routes, [first](const server::Route& route) {
    const std::string_view pattern = route.pattern;
    return pattern.substr(0, pattern.find('/', 1)) == first;
  });
}

/// --public-url, else the variable. The problem with it, if there is one.
std::optional<std::string> read_public_url(PlatformOptions& options) {
  const char* source = "--public-url";
  if (options.external_url.empty()) {
    options.external_url = environment("EXTERNAL_PLATFORM_URL");
    source = "EXTERNAL_PLATFORM_URL";
  }
  std::string& url = options.external_url;
  while (url.ends_with('/')) url.pop_back();
  if (url.empty()) return std::nullopt;
  if (!is_url(url) || server::origin_of(url).empty()) {
    return fmt::format("{}: not an http:// or https:// URL", source);
  }
  if (!hides_a_route(url)) return std::nullopt;
  return fmt::format("{}: a path of the platform's own begins like that: choose another one",
                     source);
}

/// A token that no header can carry would lock the admin out.
bool is_token(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c > 0x20 && c < 0x7F; });
}

/// What systemd hands over (LoadCredential=NAME:FILE); nothing if it does not.
Result<std::optional<std::string>, std::string> credential(const char* name) {
  const std::string folder = environment("CREDENTIALS_DIRECTORY");
  if (folder.empty()) return std::optional<std::string>();
  const std::filesystem::path file = std::filesystem::path(folder) / name;
  auto content = files::read(file);
  if (content) {
    std::string secret(text::trim(text::without_byte_order_mark(*content)));
    if (!secret.empty()) return std::optional(std::move(secret));
    return Failure{"the credential " + file.string() + " is empty"};
  }
  if (content.error().code == ENOENT) return std::optional<std::string>();
  return Failure{"the credential " + content.error().message};
}

/// Not every shell expands a `~` (`--data=~/x`), and a service file never does.
Result<std::filesystem::path, std::string> expand_home(const std::string& path) {
  if (!path.starts_with('~')) return std::filesystem::path(path);
  const auto expanded = files::configured_path(path, environment("HOME"));
  if (!expanded) return Failure{expanded.error()};
  return *expanded;
}

/// The problem, if there is one. The URL itself is read where libpq is.
std::optional<std::string> read_store(PlatformOptions& options) {
  if (options.store.empty()) options.store = text::trim(environment("MOLECULE_STORE"));
  if (options.store.empty()) return std::nullopt;
  if (!options.store.starts_with("postgres://") && !options.store.starts_with("postgresql://")) {
    return "--store: not a postgres:// URL; without it the store is a file in the data folder";
  }
  auto password = credential("STORE_PASSWORD");
  if (!password) return password.error();
  options.store_password = *std::move(password);
  return std::nullopt;
}

Exit wrong_usage(std::string_view problem) {
  return {.code = 2,
          .out = "",
          .err = std::string(problem) + "\nRun `molecule-platform --help` for the usage.\n"};
}

/// The commands that work on a backup.
CLI::App* add_copy(CLI::App& app, PlatformOptions& options, std::string& file, const char* name,
                   const char* summary) {
  CLI::App* command = app.add_subcommand(name, summary)->fallthrough();
  command->add_option("FILE", file, "The backup")->required()->type_name("");
  command->add_flag("--json", options.json, "Print JSON");
  return command;
}

}  // namespace

bool parse_listen(std::string_view text, std::string& listen_host, std::uint16_t& listen_port) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failure != std::errc() || end != digits.data() + digits.size()) return false;
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host != "localhost" || bracketed) {
    asio::error_code invalid;
    const asio::ip::address address = asio::ip::make_address(host, invalid);
    if (invalid || address.is_v6() != bracketed) return false;
  }
  listen_host = host;
  listen_port = port;
  return true;
}

std::uint16_t public_port(std::string_view url, std::uint16_t otherwise) {
  if (url.empty()) return otherwise;
  const std::string origin = server::origin_of(url);
  const std::uint16_t usual = origin.starts_with("https:") ? 443 : 80;
  const std::string_view digits = std::string_view(origin).substr(origin.rfind(':') + 1);
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return failure == std::errc() && end == digits.data() + digits.size() ? port : usual;
}

std::string url_host(std::string_view host) {
  if (host.find(':') == std::string_view::npos) return std::string(host);
  return '[' + std::string(host) + ']';
}

std::variant<PlatformOptions, Exit> parse_platform_options(int argc, char** argv) {
  PlatformOptions options;
  std::string listen = "127.0.0.1:8080";
  std::string data = default_data().string();
  std::string uploads;
  CLI::App app(description, "molecule-platform");
  app.footer(footer);
  app.set_version_flag("--version", "molecule-platform " MOLECULE_VERSION);
  app.add_option("--listen", listen, "The address to listen on; port 0 picks a free port")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  app.add_option("--data", data, "The data folder")->type_name("DIR")->capture_default_str();
  app.add_option("--store", options.store,
                 "A PostgreSQL database instead of a file in the data folder; several platforms "
                 "may use one. Its password is read from PGPASSFILE, never from here")
      ->type_name("postgres://[USER@]HOST/DATABASE");
  app.add_option("--store-connections", options.store_connections,
                 "Connections to --store: half of them for writes")
      ->type_name("N")
      ->check(CLI::Range(2, 64))
      ->capture_default_str();
  app.add_option("--uploads", uploads,
                 "The folder of files that wait for agents, which all platforms on one --store "
                 "share; otherwise one in the data folder")
      ->type_name("DIR");
  const CLI::App* login_link =
      app.add_subcommand("login-link",
                         "Print another one-time login link of the platform that runs on DIR")
          ->fallthrough();
  app.add_option("--allow-host", options.allowed_hosts,
                 "Another host name that clients may use; may be repeated")
      ->type_name("NAME")
      ->expected(1)
      ->take_all();
  app.add_option("--public-url", options.external_url,
                 "The URL at which browsers and agents reach it, behind a proxy")
      ->type_name("URL");
  const CLI::App* health =
      app.add_subcommand("health", "Asks the platform at --listen how it is: exit 0 if it is well")
          ->fallthrough();
  std::string backup_file;
  const CLI::App* backup = add_copy(app, options, backup_file, "backup",
                                    "Copy the store of DIR into FILE, while a platform uses it");
  CLI::App* restore = add_copy(app, options, backup_file, "restore",
                               "Put a backup in place of the store of DIR, which nobody uses");
  restore->add_flag("--force", options.force, "Replace a store that is there");
  std::string limits_file;
  std::vector<std::string> limits;
  app.add_option("--limits", limits_file, "A file of limits, NAME = VALUE on each line")
      ->type_name("FILE");
  app.add_option(
         "--limit", limits,
         "A limit of one workspace, such as message-bytes=1G; may be repeated. Defaults:\n" +
             server::describe_limits(options.limits))
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->take_all();
  std::string metrics;
  app.add_option(
         "--metrics-listen", metrics,
         "Another address, for GET /metrics without a token; whoever reaches it can read it")
      ->type_name("HOST:PORT");
  constexpr int max_drain_seconds = 3600;
  int drain_delay = 0;
  app.add_option("--drain-delay", drain_delay,
                 "After SIGTERM, seconds to go on serving while /ready says 503 (0)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0, max_drain_seconds));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = app.exit(stop, out, err);
    return code == 0 ? Exit{.code = 0, .out = out.str(), .err = ""} : wrong_usage(stop.what());
  }
  if (!parse_listen(listen, options.host, options.port)) {
    return wrong_usage("--listen: not HOST:PORT with an address or localhost: " +
                       text::sanitize_name(listen));
  }
  if (!metrics.empty() && !parse_listen(metrics, options.metrics_host, options.metrics_port)) {
    return wrong_usage("--metrics-listen: not HOST:PORT with an address or localhost: " +
                       text::sanitize_name(metrics));
  }
  options.drain_delay = std::chrono::seconds(drain_delay);
  options.health = health->parsed();
  if (backup->parsed()) options.copy = PlatformOptions::Copy::backup;
  if (restore->parsed()) options.copy = PlatformOptions::Copy::restore;
  if (options.health) return options;
  if (data.empty()) return wrong_usage("--data: no folder given, and HOME is not set");
  const auto data_path = expand_home(data);
  if (!data_path) return wrong_usage("--data: " + data_path.error());
  options.data = *data_path;
  const auto uploads_path = expand_home(uploads);
  if (!uploads_path) return wrong_usage("--uploads: " + uploads_path.error());
  options.uploads = *uploads_path;
  options.backup = backup_file;
  if (options.copy != PlatformOptions::Copy::none && backup_file.empty()) {
    return wrong_usage("FILE: no name given");
  }
  if (auto problem = read_store(options)) return wrong_usage(*problem);
  if (options.copy != PlatformOptions::Copy::none) return options;
  options.login_link = login_link->parsed();
  options.admin_token = text::trim(environment("ADMIN_TOKEN"));
  if (options.admin_token.empty()) {
    auto token = credential("ADMIN_TOKEN");
    if (!token) return wrong_usage(token.error());
    options.admin_token = std::move(*token).value_or("");
  }
  if (!is_token(options.admin_token)) {
    return wrong_usage("ADMIN_TOKEN: has spaces or characters that no header can carry");
  }
  if (auto problem = read_public_url(options)) return wrong_usage(*problem);
  options.origins = read_origins();
  if (auto problem = collect_limits(limits_file, limits, options.limits)) {
    return wrong_usage(text::one_line(*problem));
  }
  if (!read_stale_after(options)) {
    return wrong_usage("REMOTE_LIVENESS_STALE_AFTER: not a number of seconds from 30 to 86400");
  }
  return options;
}

}  // namespace molecule::app

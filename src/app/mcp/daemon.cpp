#include "app/mcp/daemon.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/mcp/daemon_check.hpp"
#include "app/mcp/daemon_options.hpp"
#include "app/mcp/file_limit.hpp"
#include "app/mcp/launchd.hpp"
#include "base/async/tasks.hpp"
#include "base/child/child.hpp"
#include "base/log.hpp"
#include "base/output.hpp"
#include "base/process.hpp"
#include "base/service/notify.hpp"
#include "daemon/dispatcher.hpp"
#include "net/http_client.hpp"
#include "workspace/config/config.hpp"
#include "workspace/config/config_file.hpp"
#include "workspace/config/credentials.hpp"
#include "workspace/sync/report/status_file.hpp"
#include "workspace/workspaces.hpp"

namespace molecule::app {

namespace {

constexpr std::chrono::seconds max_silent_start{10};
constexpr std::chrono::milliseconds start_check{200};
constexpr std::chrono::milliseconds kill_grace{2000};
constexpr std::string_view see_help = "run `molecule-mcp daemon --help` for the options";
constexpr std::string_view see_setup =
    "run `molecule-mcp setup`, or see `molecule-mcp help environment`";

daemon::Services services_of(Clock& clock, const workspace::Config& config,
                             workspace::Workspaces& workspaces, net::HttpClient& http,
                             TaskGroup& tasks, Children& children) {
  return {clock, config, workspaces, http, tasks, children};
}

/// A running daemon. Declaration order is lifetime.
class Daemon {
 public:
  Daemon(const workspace::Config& config, daemon::Settings settings, const DaemonOptions& options)
      : config_(config),
        options_(options),
        http_(loop_.get_executor()),
        workspaces_(config, loop_.get_executor(), http_, clock_),
        started_(clock_.wall()),
        dispatcher_(services_of(clock_, config_, workspaces_, http_, tasks_, children_),
                    std::move(settings)) {
    for (const int signal : process::end_signals()) signals_.add(signal);
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  int run() {
    tasks_.spawn("signals", watch_signals());
    tasks_.spawn("children", children_.reap());
    workspaces_.start(tasks_);
    if (config_.inbox) tasks_.spawn("dispatcher", dispatcher_.run());
    tasks_.spawn("rejection", watch_rejection());
    tasks_.spawn("start", report_start());
    if (notifier_.watchdog_interval()) tasks_.spawn("watchdog", feed_watchdog());
    while (!exit_code_) loop_.run_one();
    process::hold_end_signals();  // a signal that comes now must not change the exit code
    tasks_.cancel_all();
    const auto deadline = std::chrono::steady_clock::now() + config_.timing.goodbye;
    while (tasks_.size() > 0 && loop_.run_one_until(deadline) > 0) {
    }
    workspaces_.release();
    // The tasks left are not worth waiting for, and what they use cannot be destroyed safely.
    if (tasks_.size() > 0) ::_exit(*exit_code_);
    return *exit_code_;
  }

 private:
  void stop(int exit_code) {
    if (!exit_code_) exit_code_ = exit_code;
  }

  void failed(std::string_view task, const std::exception_ptr& error) {
    log_failure(task, error);
    stop(1);
  }

  awaitable<void> watch_signals() {
    while (true) {
      auto [error, signal] = co_await signals_.async_wait(as_tuple);
      if (error) co_return;
      if (signal != SIGHUP) break;
      reload();
    }
    // A second signal ends it at once.
    tasks_.spawn("second signal", watch_second_signal());
    co_await end_turns();
    stop(0);
  }

  awaitable<void> watch_second_signal() {
    int number = SIGHUP;
    while (number == SIGHUP) {
      auto [error, signal] = co_await signals_.async_wait(as_tuple);
      if (error) co_return;
      number = signal;
    }
    stop(0);
  }

  /// Lets the turns that run end, for a while; their messages stay in the inbox.
  awaitable<void> end_turns() {
    using std::chrono::microseconds;
    const auto grace = dispatcher_.stop_grace();
    notifier_.stopping(fmt::format("stopping: {}", dispatcher_.status()));
    dispatcher_.begin_stop();
    if (dispatcher_.running() == 0) co_return;
    notifier_.extend_timeout(grace + 2 * kill_grace);
    log::info("{} turns may end within {} s", dispatcher_.running(), grace.count());
    Clock::time_point deadline = clock_.now() + grace;
    bool more = true;
    while (dispatcher_.running() > 0 && more) {
      more = co_await dispatcher_.changed().wait_until(deadline);
    }
    if (dispatcher_.running() == 0) co_return;
    children_.stop(kill_grace);
    deadline = clock_.now() + 2 * kill_grace;
    more = true;
    while (dispatcher_.running() > 0 && more) {
      more = co_await dispatcher_.changed().wait_until(deadline);
    }
  }

  bool serves(const workspace::Config& config) const {
    return std::ranges::equal(config.workspaces, config_.workspaces,
                              [](const auto& one, const auto& other) {
                                return one.id == other.id && one.platform_url == other.platform_url;
                              });
  }

  void reload() {
    notifier_.reloading();
    if (workspaces_.reload_tokens()) log::info("a token has changed");
    const auto read = workspace::read_config(workspace::process_environment());
    if (read.problems.empty() && !serves(read.config)) {
      log::warning("other workspaces are configured now: restart the daemon to serve them");
    }
    auto settings =
        daemon::Settings::load(workspace::process_environment(), options_.config, options_.flags);
    if (settings) {
      dispatcher_.configure(*std::move(settings));
      log::info("the configuration was read again");
    } else {
      log::error("the configuration stays as it was:");
      for (const std::string& problem : settings.error()) log::error("{}", problem);
    }
    notifier_.ready(status());
  }

  /// Ends when no workspace is left that the platform accepts.
  awaitable<void> watch_rejection() {
    using Use = workspace::Workspace::Use;
    const auto rejected = [](workspace::Workspace& one) {
      return one.state().use == Use::rejected;
    };
    while (!std::all_of(workspaces_.begin(), workspaces_.end(), rejected)) {
      co_await workspaces_.changed().wait();
    }
    stop(3);
  }

  /// What a workspace is at, and whether that is known.
  struct Report {
    std::string text;
    bool known = false;
  };
  Report report(workspace::Workspace& workspace) const {
    if (!workspace.in_use()) return {.text = workspace.state().reason, .known = true};
    const auto record = workspace::read_owner_record(workspace.config().state_folder);
    const bool polled = record && record->last_poll && *record->last_poll >= started_;
    const bool failed = record && record->last_error_at && *record->last_error_at >= started_;
    if (polled && (!failed || *record->last_poll >= *record->last_error_at)) {
      return {.text = "online", .known = true};
    }
    if (failed) return {.text = record->last_error, .known = true};
    return {.text = "connecting", .known = false};
  }

  std::string status() {
    std::string text = config_.inbox ? dispatcher_.status() : "online only";
    for (workspace::Workspace& workspace : workspaces_) {
      // Ids begin with the time, which neighbours share.
      const std::string name = workspaces_.several() ? workspace.id() + " " : "";
      const Report one = report(workspace);
      if (workspaces_.several() ? one.text != "online" : true) text += "; " + name + one.text;
    }
    return text;
  }

  bool all_known() {
    return !config_.inbox || std::all_of(workspaces_.begin(), workspaces_.end(),
                                         [this](auto& one) { return report(one).known; });
  }

  /// READY once each workspace has polled or it is clear why not; a platform that cannot be reached
  /// is no reason to fail.
  awaitable<void> report_start() {
    if (!notifier_.listened_to()) co_return;
    const Clock::time_point deadline = clock_.now() + max_silent_start;
    while (!all_known() && clock_.now() < deadline) co_await sleep_for(clock_, start_check);
    notifier_.ready(status());
    while (true) {
      notifier_.status(status());
      [[maybe_unused]] auto notified =
          co_await dispatcher_.changed().wait_until(clock_.now() + config_.timing.heartbeat);
    }
  }

  /// The loop that gets here turns.
  awaitable<void> feed_watchdog() {
    const auto interval = *notifier_.watchdog_interval();
    while (true) {
      notifier_.alive();
      co_await sleep_for(clock_, interval);
    }
  }

  const workspace::Config& config_;
  const DaemonOptions& options_;
  std::optional<int> exit_code_;
  service::Notifier notifier_;
  asio::io_context loop_{1};
  asio::signal_set signals_{loop_};
  SystemClock clock_;
  net::HttpClient http_;
  workspace::Workspaces workspaces_;
  WallTime started_;
  TaskGroup tasks_{
      loop_.get_executor(), clock_,
      [this](std::string_view task, std::exception_ptr error) { failed(task, error); }};
  Children children_{loop_.get_executor(), clock_, tasks_};
  daemon::Dispatcher dispatcher_;
};

int report_problems(const std::vector<std::string>& problems, std::string_view hint) {
  log::error("the configuration is missing or not valid:");
  for (const std::string& problem : problems) log::error("{}", problem);
  log::error("{}", hint);
  return 2;
}

/// What a person changes to mend a wrong configuration or a rejected token.
std::vector<std::filesystem::path> files_of(const workspace::Environment& environment,
                                            const DaemonOptions& options) {
  const std::filesystem::path folder = workspace::config_folder(environment);
  std::vector<std::filesystem::path> files{
      folder / "config.toml", options.config.empty() ? folder / "daemon.toml" : options.config};
  for (const workspace::WorkspaceConfig& one :
       workspace::read_config(environment).config.workspaces) {
    files.push_back(one.state_folder / ".auth_token");
    if (!one.token.environment) continue;
    const auto file = workspace::configured_token_file(one.token);
    if (file && !file->empty()) files.push_back(*file);
  }
  return files;
}

int run_daemon(const workspace::Environment& environment, const DaemonOptions& options) {
  auto settings = daemon::Settings::load(environment, options.config, options.flags);
  auto config = workspace::load_config(environment);
  std::vector<std::string> problems;
  if (!config) problems = config.error();
  if (!settings) {
    problems.insert(problems.end(), settings.error().begin(), settings.error().end());
  }
  if (!problems.empty()) {
    return report_problems(problems, config ? see_help : see_setup);
  }
  if (config->verbose && std::getenv(log::level_variable) == nullptr) {
    log::set_level(log::Level::info);
  }
  // A handler's own server belongs to a daemon; a daemon belongs to nobody.
  config->handler.reset();
  if (options.check) {
    const auto shown = options.json ? configuration_json(*config, *settings)
                                    : configuration_text(*config, *settings);
    return output::print(shown) ? 0 : 1;
  }
  raise_file_limit(config->workspaces.size());
  if (!settings->any_handler()) {
    log::info("there is no handler: messages stay in the inbox for other sessions");
  }
  Daemon daemon(*config, *std::move(settings), options);
  return daemon.run();
}

}  // namespace

int daemon_main(std::span<const char* const> arguments) {
  const auto options = parse_daemon_options(arguments);
  if (!options) {
    const int exit_code = report_problems({options.error()}, see_help);
    wait_under_launchd({});
    return exit_code;
  }
  process::open_standard_streams();
  const workspace::Environment environment = workspace::process_environment();
  const int exit_code = run_daemon(environment, *options);
  const bool in_vain = exit_code == 2 || exit_code == 3;
  if (in_vain && !options->check) wait_under_launchd(files_of(environment, *options));
  return exit_code;
}

}  // namespace molecule::app

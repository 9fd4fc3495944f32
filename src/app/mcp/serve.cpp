#include "app/mcp/serve.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <array>
#include <asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <exception>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/async/event.hpp"
#include "base/async/tasks.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "molecule/mcp/session.hpp"
#include "molecule/mcp/stdio.hpp"
#include "net/http_client.hpp"
#include "tools/channel_push.hpp"
#include "tools/requests/permission_relay.hpp"
#include "tools/tools.hpp"
#include "workspace/workspaces.hpp"

namespace molecule::app {

namespace {

constexpr int parent_died = SIGUSR1;

mcp::LogLevel level_of(log::Level level) {
  switch (level) {
    case log::Level::debug:
      return mcp::LogLevel::debug;
    case log::Level::info:
      return mcp::LogLevel::info;
    case log::Level::warning:
      return mcp::LogLevel::warning;
    case log::Level::error:
      break;
  }
  return mcp::LogLevel::error;
}

mcp::ServerInfo describe(const workspace::Config& config, tools::Services& services, mcp::Era era) {
  mcp::ServerInfo info;
  info.name = "molecule";
  info.title = "Molecule";
  info.version = MOLECULE_VERSION;
  info.instructions = tools::make_instructions(config, services.problem);
  info.tools = tools::make_tools(services);
  info.resources = tools::make_resources(services);
  info.resource_templates = tools::make_resource_templates(services);
  info.resource_updates = config.inbox;
  info.prompts = tools::make_prompts(services);
  info.logging = true;
  info.era = era;
  if (config.inbox) {
    info.experimental = config.relays_permissions
                            ? R"({"claude/channel":{},"claude/channel/permission":{}})"
                            : R"({"claude/channel":{}})";
    // This host would use the stateless revision if it were offered, but takes no pushes there.
    info.initialize_hosts = {"claude-code"};
  }
  return info;
}

/// What tells the person which of several hosts asks.
std::string session_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  std::error_code failure;
  const std::filesystem::path folder = std::filesystem::current_path(failure);
  return fmt::format("{}:{}", host.data(), folder.string());
}

/// Everything that serves one host. Declaration order is lifetime: tasks end before what they use.
class Server {
 public:
  Server(workspace::Config config, ServeOptions options)
      : config_(std::move(config)),
        options_(std::move(options)),
        http_(loop_.get_executor()),
        workspaces_(std::in_place, config_, loop_.get_executor(), http_, clock_),
        tasks_(loop_.get_executor(), clock_,
               [this](std::string_view task, std::exception_ptr error) { failed(task, error); }),
        services_{.clock = clock_,
                  .config = config_,
                  .workspaces = *workspaces_,
                  .tasks = tasks_,
                  .problem = options_.problem,
                  .stays = config_.stays},
        session_(loop_.get_executor(), clock_, describe(config_, services_, options_.era),
                 stdio_->input(), stdio_->output()),
        push_(services_, [this](std::string_view method,
                                std::string_view params) { session_.notify(method, params); }),
        prompts_(services_, session_name(),
                 [this](std::string_view method, std::string_view params) {
                   session_.notify(method, params);
                 }) {
    if (!options_.problem.empty()) exit_without_host_ = 2;
    log::set_listener([this](log::Level level, std::string_view text) {
      session_.log(level_of(level), "molecule", text);
    });
    session_.on_first_answer = [this] { answered(); };
    session_.on_initialized = [this](const mcp::ClientInfo& host) { initialized(host); };
    if (!config_.relays_permissions || !config_.inbox) return;
    session_.on_notification = [this](std::string_view method, json::Value params) {
      if (services_.problem.empty()) prompts_.received(method, params);
    };
    services_.tool_called = [this] { prompts_.agent_went_on(); };
  }

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() { log::set_listener(nullptr); }

  int run() {
    tasks_.spawn("signals", watch_signals());
    tasks_.spawn("session", converse());
    tasks_.spawn("start", start_work());
    while (!exit_code_) loop_.run_one();
    process::hold_end_signals();  // a signal that comes now must not change the exit code
    tasks_.cancel_all();
    tasks_.spawn("acknowledge", workspaces_->acknowledge());
    tasks_.spawn("withdraw permission prompts", prompts_.withdraw_all());
    const auto deadline = std::chrono::steady_clock::now() + config_.timing.goodbye;
    while (tasks_.size() > 0 && loop_.run_one_until(deadline) > 0) {
    }
    workspaces_->release();
    if (tasks_.size() > 0) {
      // The tasks left are not worth waiting for, and what they use cannot be destroyed safely.
      stdio_.reset();
      ::_exit(*exit_code_);
    }
    return *exit_code_;
  }

 private:
  void stop(int exit_code) {
    if (!exit_code_) exit_code_ = exit_code;
  }

  void initialized(const mcp::ClientInfo& host) {
    wants_push_ = config_.inbox && tools::takes_channel_messages(host.name);
    start_push();
  }

  void start_push() {
    if (!wants_push_ || !services_.problem.empty()) return;
    if (!std::exchange(pushing_, true)) tasks_.spawn("channel push", push_.run());
  }

  void failed(std::string_view task, const std::exception_ptr& error) {
    log_failure(task, error);
    stop(1);
  }

  awaitable<void> converse() {
    auto end = co_await session_.run();
    if (const int failure = session_.output_failure(); failure != 0) {
      log::error("the answers cannot be written to stdout: {}",
                 std::generic_category().message(failure));
      stop(1);
      co_return;
    }
    log::info("the host has gone ({})",
              end == mcp::SessionEnd::end_of_input ? "end of input" : "output closed");
    stop(exit_without_host_);
  }

  void answered() {
    answered_ = true;
    first_answer_.notify_all();
  }

  /// Network and disk wait until the host has its first answer (molecule-mcp.md 4).
  awaitable<void> start_work() {
    const Clock::time_point deadline = clock_.now() + config_.timing.first_answer;
    while (!answered_ && clock_.now() < deadline) {
      [[maybe_unused]] auto notified = co_await first_answer_.wait_until(deadline);
    }
    if (!services_.problem.empty()) {
      co_await wait_for_host();
      if (!stays_with_host()) co_return give_up(2, services_.problem);
      co_await complete_configuration();
    }
    workspaces_->start(tasks_);
    start_push();
    if (config_.stays) {
      tasks_.spawn("recovery", recover());
    }
    if (!workspaces_->several()) tasks_.spawn("rejection", watch_rejection());
    if (config_.inbox) tasks_.spawn("resources", report_changes());
    co_await watch_parent();
  }

  /// The process cannot work: whatever a host asks first is answered before it ends. Nobody is
  /// there where stdin is a terminal, or at its end, which ends the session.
  awaitable<void> wait_for_host() {
    if (!answered_ && ::isatty(STDIN_FILENO) != 0) co_return;
    co_await sleep_until(clock_, started_ + config_.timing.host_patience);
  }

  /// Without a host nobody would be told why nothing works.
  bool stays_with_host() {
    if (!config_.stays || !answered_) return false;
    exit_without_host_ = 0;
    return true;
  }

  /// The log has had it already; the host may not have listened yet.
  void give_up(int exit_code, const std::string& reason) {
    session_.log(mcp::LogLevel::error, "molecule", reason);
    stop(exit_code);
  }

  /// Returns once the configuration can be used.
  awaitable<void> complete_configuration() {
    while (true) {
      auto loaded = workspace::load_config(options_.environment);
      if (loaded.ok()) {
        adopt(std::move(*loaded));
        co_return;
      }
      services_.problem = problem_text(loaded.error());
      co_await sleep_for(clock_, config_.timing.recovery_check);
    }
  }

  /// No call uses the workspaces meanwhile, and `services_` goes on to refer to both.
  void adopt(workspace::Config config) {
    config_ = std::move(config);
    workspaces_.emplace(config_, loop_.get_executor(), http_, clock_);
    services_.problem.clear();
    log::warning("the configuration is complete now: going on");
  }

  /// A rejected workspace ends only itself if there are others, and the process if it is alone.
  awaitable<void> watch_rejection() {
    using Use = workspace::Workspace::Use;
    while (true) {
      while (workspaces_->first().state().use != Use::rejected) {
        co_await workspaces_->changed().wait();
      }
      if (!staying_) {
        exit_without_host_ = 3;
        co_await wait_for_host();
        const workspace::Workspace::State state = workspaces_->first().state();
        if (!stays_with_host() && state.use == Use::rejected) co_return give_up(3, state.reason);
        exit_without_host_ = 0;
        staying_ = config_.stays;
      }
      co_await workspaces_->changed().wait();
    }
  }

  /// Goes on once the token was replaced, or the platform takes it after all.
  awaitable<void> recover() {
    Clock::time_point next_call = clock_.now() + config_.timing.recovery_call;
    while (true) {
      co_await sleep_for(clock_, config_.timing.recovery_check);
      if (workspaces_->out_of_use().empty()) continue;
      workspaces_->reload_tokens();
      if (clock_.now() < next_call) continue;
      next_call = clock_.now() + config_.timing.recovery_call;
      co_await workspaces_->retry_rejected();
    }
  }

  awaitable<void> report_changes() {
    return tools::report_resource_changes(
        services_, [this](const std::string& uri) { session_.resource_updated(uri); });
  }

  awaitable<void> watch_signals() {
    asio::signal_set signals(loop_, parent_died);
    for (const int signal : process::end_signals()) signals.add(signal);
    parent_signals_ = process::signal_at_parent_death(parent_died);
    while (process::has_parent(options_.parent)) {
      auto [error, signal] = co_await signals.async_wait(as_tuple);
      if (error) co_return;
      // SIGHUP means "reload the token" from a user and "exit" from a closing terminal: go on only
      // if the token changed.
      if (signal == SIGHUP && workspaces_->reload_tokens()) continue;
      if (signal != parent_died) break;
    }
    stop(0);
  }

  /// For systems without a signal at the parent's death.
  awaitable<void> watch_parent() {
    while (!parent_signals_ && process::has_parent(options_.parent)) {
      co_await sleep_for(clock_, config_.timing.parent_check);
    }
    if (!process::has_parent(options_.parent)) stop(0);
  }

  workspace::Config config_;
  ServeOptions options_;
  bool parent_signals_ = false;
  bool answered_ = false;
  bool wants_push_ = false;
  bool pushing_ = false;
  /// It stays with its host although the token is rejected.
  bool staying_ = false;
  /// For a host that goes, or was never there.
  int exit_without_host_ = 0;
  std::optional<int> exit_code_;
  std::optional<mcp::Stdio> stdio_{std::in_place};
  asio::io_context loop_{1};
  SystemClock clock_;
  Clock::time_point started_ = clock_.now();
  Event first_answer_{clock_};
  net::HttpClient http_;
  /// Made anew when the configuration is complete.
  std::optional<workspace::Workspaces> workspaces_;
  TaskGroup tasks_;
  tools::Services services_;
  mcp::Session session_;
  tools::ChannelPush push_;
  tools::PermissionRelay prompts_;
};

}  // namespace

std::string problem_text(const std::vector<std::string>& problems) {
  return fmt::format(
      "molecule-mcp is not configured yet: {}. Tell the user; run `molecule-mcp "
      "doctor` for details.",
      fmt::join(problems, "; "));
}

int serve(workspace::Config config, ServeOptions options) {
  Server server(std::move(config), std::move(options));
  return server.run();
}

}  // namespace molecule::app

#include "app/mcp/serve.hpp"

#include <unistd.h>

#include <asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <exception>
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
  info.instructions = tools::make_instructions(config);
  info.tools = tools::make_tools(services);
  info.resources = tools::make_resources(services);
  info.resource_templates = tools::make_resource_templates(services);
  info.resource_updates = config.inbox;
  info.prompts = tools::make_prompts(services);
  info.logging = true;
  info.era = era;
  if (config.inbox) {
    info.experimental = R"({"claude/channel":{}})";
    // This host would use the stateless revision if it were offered, but takes no pushes there.
    info.initialize_hosts = {"claude-code"};
  }
  return info;
}

/// Everything that serves one host. Declaration order is lifetime: tasks end before what they use.
class Server {
 public:
  Server(const workspace::Config& config, pid_t parent, mcp::Era era)
      : config_(config),
        parent_(parent),
        http_(loop_.get_executor()),
        workspaces_(config, loop_.get_executor(), http_, clock_),
        tasks_(loop_.get_executor(), clock_,
               [this](std::string_view task, std::exception_ptr error) { failed(task, error); }),
        services_{clock_, config_, workspaces_, tasks_},
        session_(loop_.get_executor(), clock_, describe(config, services_, era), stdio_->input(),
                 stdio_->output()),
        push_(services_, [this](std::string_view method, std::string_view params) {
          session_.notify(method, params);
        }) {
    log::set_listener([this](log::Level level, std::string_view text) {
      session_.log(level_of(level), "molecule", text);
    });
    session_.on_first_answer = [this] { answered(); };
    session_.on_initialized = [this](const mcp::ClientInfo& host) { initialized(host); };
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
    const auto deadline = std::chrono::steady_clock::now() + config_.timing.goodbye;
    while (tasks_.size() > 0 && loop_.run_one_until(deadline) > 0) {
    }
    workspaces_.release();
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
    const bool push = config_.inbox && tools::takes_channel_messages(host.name);
    if (push && !std::exchange(pushing_, true)) tasks_.spawn("channel push", push_.run());
  }

  void failed(std::string_view task, const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      log::error("internal error in {}: {}", task, e.what());
    } catch (...) {
      log::error("internal error in {}", task);
    }
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
    stop(0);
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
    workspaces_.start(tasks_);
    if (!workspaces_.several()) tasks_.spawn("rejection", watch_rejection());
    if (config_.inbox) tasks_.spawn("resources", report_changes());
    co_await watch_parent();
  }

  /// A rejected workspace ends only itself if there are others, and the process if it is alone.
  awaitable<void> watch_rejection() {
    using Use = workspace::Workspace::Use;
    while (workspaces_.first().state().use != Use::rejected) co_await workspaces_.changed().wait();
    stop(3);
  }

  awaitable<void> report_changes() {
    return tools::report_resource_changes(
        services_, [this](const std::string& uri) { session_.resource_updated(uri); });
  }

  awaitable<void> watch_signals() {
    asio::signal_set signals(loop_, parent_died);
    for (const int signal : process::end_signals()) signals.add(signal);
    parent_signals_ = process::signal_at_parent_death(parent_died);
    while (process::has_parent(parent_)) {
      auto [error, signal] = co_await signals.async_wait(as_tuple);
      if (error) co_return;
      // SIGHUP means "reload the token" from a user and "exit" from a closing terminal: go on only
      // if the token changed.
      if (signal == SIGHUP && workspaces_.reload_tokens()) continue;
      if (signal != parent_died) break;
    }
    stop(0);
  }

  /// For systems without a signal at the parent's death.
  awaitable<void> watch_parent() {
    while (!parent_signals_ && process::has_parent(parent_)) {
      co_await sleep_for(clock_, config_.timing.parent_check);
    }
    if (!process::has_parent(parent_)) stop(0);
  }

  const workspace::Config& config_;
  pid_t parent_;
  bool parent_signals_ = false;
  bool answered_ = false;
  bool pushing_ = false;
  std::optional<int> exit_code_;
  std::optional<mcp::Stdio> stdio_{std::in_place};
  asio::io_context loop_{1};
  SystemClock clock_;
  Event first_answer_{clock_};
  net::HttpClient http_;
  workspace::Workspaces workspaces_;
  TaskGroup tasks_;
  tools::Services services_;
  mcp::Session session_;
  tools::ChannelPush push_;
};

}  // namespace

int serve(const workspace::Config& config, pid_t parent, mcp::Era era) {
  Server server(config, parent, era);
  return server.run();
}

}  // namespace molecule::app

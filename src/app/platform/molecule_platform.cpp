// molecule-platform: the program's start, and the wiring of the server room.

#include <sys/stat.h>
#include <unistd.h>

#include <asio/ip/address.hpp>
#include <asio/signal_set.hpp>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <system_error>

#include "app/platform/backup.hpp"
#include "app/platform/data_folder.hpp"
#include "app/platform/health.hpp"
#include "app/platform/login_link.hpp"
#include "app/platform/platform_options.hpp"
#include "base/async/step_proof_clock.hpp"
#include "base/async/tasks.hpp"
#include "base/log.hpp"
#include "base/output.hpp"
#include "base/process.hpp"
#include "base/service/notify.hpp"
#include "base/text/text.hpp"
#include "base/text/time.hpp"
#include "server/api/context.hpp"
#include "server/api/instances/shared_state.hpp"
#include "server/api/registry/sweep.hpp"
#include "server/api/router.hpp"
#include "server/api/routes.hpp"
#include "server/http/http_request.hpp"
#include "server/http/http_server.hpp"
#include "server/http/metrics_listener.hpp"
#include "server/store/database.hpp"

namespace {

using namespace molecule;

constexpr std::chrono::milliseconds look_interval{500};

bool is_loopback(const std::string& host) {
  return host == "localhost" || asio::ip::make_address(host).is_loopback();
}

server::HttpServer::Options server_options(const app::PlatformOptions& options) {
  server::HttpServer::Options made{.host = options.host, .port = options.port, .gate = {}};
  made.listening = options.listening;
  made.gate.hosts.push_back(text::lower(app::url_host(options.host)));
  for (const std::string& host : options.allowed_hosts) {
    made.gate.hosts.push_back(text::lower(host));
  }
  made.gate.origins = options.origins;
  made.gate.external_url = options.external_url;
  return made;
}

server::LoginInfo login_info(const app::PlatformOptions& options, const app::DataFolder& folder) {
  const std::filesystem::path data = std::filesystem::absolute(options.data).lexically_normal();
  server::LoginInfo info;
  if (options.admin_token.empty()) {
    info.token_file = std::filesystem::absolute(folder.admin_token_file()).lexically_normal();
  }
  info.link_command = fmt::format("molecule-platform login-link --data {}", data.string());
  info.data = data;
  return info;
}

/// A loop whose waiting handlers can be dropped before it is destroyed.
class Loop : public asio::io_context {
 public:
  using io_context::io_context;
  void drop_handlers() { shutdown(); }
};

/// A whole platform. Declaration order is lifetime.
class Platform {
 public:
  Platform(const app::PlatformOptions& options, const app::DataFolder& folder,
           std::string admin_token)
      : folder_(folder),
        store_(app::open_store(options, folder.database())),
        services_{.store = *store_,
                  .clock = clock_,
                  .events = events_,
                  .admin_token = std::move(admin_token),
                  .base_url = options.external_url,
                  .uploads = folder.uploads(),
                  .login = login_info(options, folder),
                  .limits = options.limits,
                  .stale_after = options.stale_after},
        tasks_(loop_.get_executor(), clock_,
               [this](std::string_view task, std::exception_ptr error) { failed(task, error); }) {
    for (const int signal : process::end_signals()) signals_.add(signal);
    router_.emplace(services_, server::all_routes());
  }

  /// Idle connections live in the loop and use the server when they end, so they must end first.
  ~Platform() {
    store_->stop();
    loop_.drop_handlers();
  }

  /// Throws `std::system_error` if it cannot.
  void listen(const app::PlatformOptions& options) {
    join_others();
    server_.emplace(loop_, services_, *router_, server_options(options));
    set_cookie(options);
    services_.login.started_at = to_micros(clock_.wall());
    own_url_ = app::own_url(options, port());
    drain_delay_ = options.drain_delay;
  }
  /// A second listener, for the metrics alone. Throws `std::system_error` if it cannot listen.
  void listen_for_metrics(const std::string& host, std::uint16_t port) {
    metrics_.emplace(loop_, services_, host, port);
  }
  std::uint16_t metrics_port() const { return metrics_->port(); }
  const std::string& own_url() const { return own_url_; }
  std::uint16_t port() const { return server_->port(); }

  /// Returns after a signal, with the exit code.
  int run() {
    tasks_.spawn("sweep", server::sweep_task(services_));
    tasks_.spawn("retention", server::retention_task(services_));
    tasks_.spawn("presence", server::presence_task(services_));
    tasks_.spawn("store", server::store_task(services_));
    if (metrics_) tasks_.spawn("metrics", metrics_->serve());
    serve_with_others();
    tasks_.spawn("signals", stop_on_signal());
    tasks_.spawn("data folder", watch_folder());
    tasks_.spawn("login link", offer_login());
    if (notifier_.watchdog_interval()) tasks_.spawn("watchdog", feed_watchdog());
    notifier_.ready(fmt::format("listening on port {}", port()));
    loop_.run();
    return exit_code_;
  }

 private:
  /// From now on the events of other instances are known, so that no client that listens later
  /// misses one. Throws `StoreError`.
  void join_others() {
    if (!events_.instances().shared()) return;
    server::hear_instances(services_, shared_events_);
    std::exception_ptr failure;
    asio::co_spawn(loop_, shared_events_.start(),
                   [&failure](const std::exception_ptr& error) { failure = error; });
    loop_.run();
    loop_.restart();
    if (failure) std::rethrow_exception(failure);
  }

  void serve_with_others() {
    server::Instances& instances = events_.instances();
    if (!instances.shared()) return;
    tasks_.spawn("instances", instances.run([this] { shared_events_.look_back(); }));
    tasks_.spawn("shared events", shared_events_.run());
    tasks_.spawn("event delivery", events_.deliver_in_background());
    tasks_.spawn("shared rates", server::tell_rates(services_));
  }

  /// All instances behind one proxy give browsers the same cookie, which no other site of its host
  /// gets.
  void set_cookie(const app::PlatformOptions& options) {
    server::LoginInfo& login = services_.login;
    login.cookie =
        fmt::format("molecule_session_{}", app::public_port(options.external_url, port()));
    login.cookie_path = std::string(server::prefix_of(options.external_url)) + '/';
  }

  awaitable<void> stop_on_signal() {
    auto [error, signal] = co_await signals_.async_wait(as_tuple);
    log::info("signal {}: stopping", signal);
    notifier_.stopping("letting requests end");
    services_.draining = true;
    if (drain_delay_.count() > 0) co_await drain();
    co_await server_->stop();
    try {
      co_await services_.presence.write(*store_);
    } catch (const server::StoreError& failure) {
      log::warning("the last heartbeats are not in the store: {}", failure.what());
    }
    // Only idle connections and the sweep between two rounds are left.
    loop_.stop();
  }

  /// Load balancers see /ready and send their requests elsewhere. Another signal ends the wait.
  awaitable<void> drain() {
    asio::steady_timer timer(loop_, drain_delay_);
    signals_.async_wait([&timer](const asio::error_code& error, int) {
      if (!error) timer.cancel();
    });
    [[maybe_unused]] auto [woken] = co_await timer.async_wait(as_tuple);
    signals_.cancel();
    // The handler refers to the timer.
    co_await next_turn();
  }

  /// The loop that gets here turns.
  awaitable<void> feed_watchdog() {
    const auto interval = *notifier_.watchdog_interval();
    while (true) {
      notifier_.alive();
      co_await sleep_for(clock_, interval);
    }
  }

  awaitable<void> offer_login() {
    if (!app::has_page()) co_return;
    try {
      const std::string link = co_await app::make_login_link(*store_, clock_, own_url_);
      app::print_login_link(link);
    } catch (const server::StoreError& error) {
      log::warning("no login link: {}", error.what());
    }
  }

  /// Without its folder the platform cannot keep what it answers with 200.
  awaitable<void> watch_folder() {
    while (folder_.intact() && !store_->replaced()) {
      co_await sleep_for(clock_, look_interval);
    }
    log::error(
        "{} was removed or replaced while it was in use: ending, as nothing can be kept in it",
        folder_.database().string());
    exit_code_ = 1;
    loop_.stop();
  }

  void failed(std::string_view task, const std::exception_ptr& error) {
    log_failure(task, error);
    exit_code_ = 1;
    loop_.stop();
  }

  int exit_code_ = 0;
  service::Notifier notifier_;
  std::string own_url_;
  const app::DataFolder& folder_;
  SystemClock system_clock_;
  /// Times that survive a wrong clock: rows, silence and expiry are measured by them.
  StepProofClock clock_{system_clock_};
  Loop loop_{1};
  std::unique_ptr<server::store::Database> store_;
  server::EventHub events_{*store_, clock_, store_->signals()};
  server::Services services_;
  server::SharedEvents shared_events_{services_};
  asio::signal_set signals_{loop_};
  TaskGroup tasks_;
  std::optional<server::Router> router_;
  std::optional<server::HttpServer> server_;
  std::optional<server::MetricsListener> metrics_;
  std::chrono::seconds drain_delay_{0};
};

int serve(const app::PlatformOptions& options) {
  const auto folder = app::DataFolder::open(options.data, options.uploads);
  if (!folder) {
    log::error("{}", folder.error());
    return 1;
  }
  std::string admin_token = options.admin_token;
  if (admin_token.empty()) {
    auto kept = folder->admin_token();
    if (!kept) {
      log::error("{}", kept.error());
      return 1;
    }
    admin_token = *std::move(kept);
  }
  for (const std::string& warning : folder->token_warnings(admin_token)) {
    log::warning("{}", warning);
  }
  if (!is_loopback(options.host)) {
    log::warning(
        "{} is not a loopback address: whoever reaches this machine's network reaches the "
        "platform, and tokens travel unencrypted",
        options.host);
  }
  std::optional<Platform> platform;
  try {
    platform.emplace(options, *folder, std::move(admin_token));
  } catch (const server::StoreError& error) {
    log::error("{}: {}", options.store.empty() ? folder->database().string() : "--store",
               error.what());
    return 1;
  }
  const std::string host = app::url_host(options.host);
  try {
    platform->listen(options);
  } catch (const std::system_error& error) {
    log::error("cannot listen on {}:{}: {}", host, options.port, error.code().message());
    return 1;
  } catch (const server::StoreError& error) {
    log::error("{}", error.what());
    return 1;
  }
  std::string told = fmt::format("listening on http://{}:{}\n", host, platform->port());
  if (!options.metrics_host.empty()) {
    const std::string metrics_host = app::url_host(options.metrics_host);
    try {
      platform->listen_for_metrics(options.metrics_host, options.metrics_port);
    } catch (const std::system_error& error) {
      log::error("cannot listen on {}:{}: {}", metrics_host, options.metrics_port,
                 error.code().message());
      return 1;
    }
    told +=
        fmt::format("metrics on http://{}:{}/metrics\n", metrics_host, platform->metrics_port());
  }
  log::info("the data folder is {}", options.data.string());
  if (!options.store.empty()) {
    log::info("files that wait for agents are in {}: all platforms on the store must share it",
              folder->uploads().string());
  }
  if (!output::print(told)) return 1;
  const app::AddressFile address(options.data, platform->own_url());
  return platform->run();
}

}  // namespace

int main(int argc, char** argv) {
  process::open_standard_streams();
  process::survive_failed_writes();
  process::keep_memory_private();
  ::umask(077);
  try {
    auto parsed = app::parse_platform_options(argc, argv);
    if (const auto* end = std::get_if<app::Exit>(&parsed)) {
      // Ignore write errors: the reader closed the pipe.
      [[maybe_unused]] const ssize_t ignored =
          ::write(STDERR_FILENO, end->err.data(), end->err.size());
      return output::print(end->out) ? end->code : 1;
    }
    if (const auto level = log::level_from(std::getenv(log::level_variable)))
      log::set_level(*level);
    auto& options = std::get<app::PlatformOptions>(parsed);
    if (options.health) return app::check_health(options);
    if (options.copy == app::PlatformOptions::Copy::backup) return app::make_backup(options);
    if (options.copy == app::PlatformOptions::Copy::restore) return app::restore_backup(options);
    std::string problem;
    options.listening = service::activated_socket(problem).value_or(-1);
    if (!problem.empty()) {
      log::error("the service manager's sockets: {}", problem);
      return 1;
    }
    return options.login_link ? app::print_new_login_link(options) : serve(options);
  } catch (const std::exception& error) {
    log::error("internal error: {}", error.what());
    return 1;
  }
}

#include "cli/doctor.hpp"

#include <unistd.h>

#include <chrono>
#include <deque>
#include <exception>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/async/clock.hpp"
#include "base/async/event.hpp"
#include "base/async/tasks.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "base/text/text.hpp"
#include "cli/doctor_hosts.hpp"
#include "cli/doctor_local.hpp"
#include "cli/doctor_platform.hpp"
#include "net/http_client.hpp"
#include "workspace/config/credentials.hpp"

namespace molecule::cli {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

/// Workspaces queried concurrently, so that a thousand of them do not flood the platform.
constexpr std::size_t concurrent_queries = 16;

/// A platform, which several workspaces may share.
struct Site {
  platform::Client client;
  std::optional<Answer<platform::Health>> health;
  bool done = false;
  /// False if what responds at the URL knows none of the workspaces.
  bool is_platform = true;
};

/// A workspace and what is known about it.
struct Subject {
  const workspace::WorkspaceConfig& config;
  workspace::Credentials credentials;
  platform::Client client;
  Site* site = nullptr;
  Check token;
  std::optional<Answer<std::string>> info;
  std::optional<Answer<platform::ActivityPage>> page;
  bool done = false;
};

class Doctor {
 public:
  Doctor(const workspace::Environment& environment, Report::Form form,
         std::vector<Check> of_the_host)
      : reading_(workspace::read_config(environment)),
        report_(form),
        of_the_host_(std::move(of_the_host)) {
    for (const workspace::WorkspaceConfig& one : reading_.config.workspaces) add(one);
  }

  int run() {
    deadline_ = clock_.now() + reading_.config.timing.doctor;
    for (Subject& subject : subjects_) {
      if (auto check = check_length(subject.credentials)) report_.add(std::move(*check));
    }
    for (Check& check : check_configuration(reading_)) report_.add(std::move(check));
    for (Check& check : of_the_host_) report_.add(std::move(check));
    tasks_.spawn("report", examine());
    loop_.run();
    if (failure_) std::rethrow_exception(failure_);
    return report_.finish() ? 0 : 1;
  }

 private:
  void add(const workspace::WorkspaceConfig& one) {
    platform::Endpoint endpoint{.platform_url = one.platform_url,
                                .workspace_id = one.id,
                                .org_id = reading_.config.org_id,
                                .max_call_timeout = reading_.config.timing.doctor_call};
    Subject& subject =
        subjects_.emplace_back(one, workspace::Credentials(one.token, one.state_folder),
                               platform::Client(http_, endpoint, [this, at = subjects_.size()] {
                                 return subjects_[at].credentials.token();
                               }));
    if (one.platform_url.empty()) return;
    // No token for the health check: the host is not yet known to be the platform.
    platform::Client anonymous(http_, endpoint, [] { return std::string(); });
    subject.site = &sites_.try_emplace(one.platform_url, Site{std::move(anonymous), std::nullopt})
                        .first->second;
  }

  /// Prints the results in order while the queries run concurrently.
  awaitable<void> examine() {
    for (auto& [url, site] : sites_) tasks_.spawn("health", ask_site(site));
    for (auto& [url, site] : sites_) co_await wait_for(site.done, url);
    for (Subject& subject : subjects_) subject.token = check_token(subject.credentials);
    for (std::size_t i = 0; i < concurrent_queries; ++i) tasks_.spawn("workspaces", ask_subjects());
    for (auto& [url, site] : sites_) {
      if (lacks_health(site)) co_await find_out(site);
      for (Check& check : check_platform(url, site.health, site.is_platform)) {
        report_.add(std::move(check));
      }
    }
    for (Subject& subject : subjects_) {
      // A list entry without an id is already reported as a configuration problem.
      if (subject.config.id.empty() && subjects_.size() > 1) continue;
      report_.begin_workspace(subject.config.id, subjects_.size() > 1);
      examine_folder(subject);
      if (may_ask(subject) && subject.site->is_platform) {
        co_await wait_for(subject.done, "the platform");
        examine_answers(subject);
      }
      report_.end_workspace();
    }
    tasks_.cancel_all();
  }

  void examine_folder(const Subject& subject) {
    // The configuration's own failure says why.
    if (!reading_.knows_folders) return;
    for (Check& check : check_state_folder(subject.config)) report_.add(std::move(check));
    report_.add(subject.token);
    for (Check& check : check_state(subject.config, clock_, reading_.config.timing)) {
      report_.add(std::move(check));
    }
  }

  void examine_answers(const Subject& subject) {
    for (Check& check :
         check_workspace(subject.client.endpoint(), subject.credentials.token_source(),
                         subject.info, subject.page)) {
      report_.add(std::move(check));
    }
  }

  /// Something responds, but has no health report.
  static bool lacks_health(const Site& site) {
    if (!site.health || site.health->outcome.ok()) return false;
    const platform::Error& error = site.health->outcome.error();
    return error.code == platform::Errc::not_found || (error.status == 404 && error.explained);
  }

  /// It may still be the platform: what it says of a workspace shows it.
  awaitable<void> find_out(Site& site) {
    site.is_platform = false;
    for (const Subject& subject : subjects_) {
      if (subject.site != &site || !may_ask(subject)) continue;
      co_await wait_for(subject.done, "the platform");
      site.is_platform = subject.info && knows_workspaces(subject.info->outcome);
      co_return;
    }
  }

  static bool may_ask(const Subject& subject) {
    const Site* site = subject.site;
    const bool reachable =
        site != nullptr && site->health && (site->health->outcome.ok() || lacks_health(*site));
    return reachable && !subject.config.id.empty();
  }

  awaitable<void> wait_for(const bool& done, std::string what) {
    if (!done) report_.waiting_for(what);
    while (!done && clock_.now() < deadline_) {
      [[maybe_unused]] auto notified = co_await answered_.wait_until(deadline_);
    }
  }

  template <class T>
  Answer<T> answer(platform::Outcome<T> outcome, Clock::time_point asked) const {
    return {.outcome = std::move(outcome),
            .latency = duration_cast<milliseconds>(clock_.now() - asked),
            .received = clock_.wall()};
  }

  awaitable<void> ask_site(Site& site) {
    const Clock::time_point asked = clock_.now();
    auto outcome = co_await site.client.health();
    site.health = answer(std::move(outcome), asked);
    site.done = true;
    answered_.notify_all();
  }

  awaitable<void> ask_subjects() {
    while (next_ < subjects_.size()) {
      Subject& subject = subjects_[next_++];
      if (may_ask(subject)) co_await ask_subject(subject);
    }
  }

  awaitable<void> ask_subject(Subject& subject) {
    Clock::time_point asked = clock_.now();
    auto info = co_await subject.client.workspace_info();
    subject.info = answer(std::move(info), asked);
    if (subject.info->outcome.ok() && !subject.credentials.token().empty()) {
      platform::ActivityQuery query;
      query.since_id = unknown_cursor;
      query.limit = 1;
      asked = clock_.now();
      auto page = co_await subject.client.activity(std::move(query));
      subject.page = answer(std::move(page), asked);
    }
    subject.done = true;
    answered_.notify_all();
  }

  workspace::Reading reading_;
  Report report_;
  std::vector<Check> of_the_host_;
  asio::io_context loop_{1};
  SystemClock clock_;
  Clock::time_point deadline_;
  Event answered_{clock_};
  net::HttpClient http_{loop_.get_executor()};
  std::map<std::string, Site> sites_;
  std::deque<Subject> subjects_;
  std::size_t next_ = 0;
  std::exception_ptr failure_;
  TaskGroup tasks_{loop_.get_executor(), clock_,
                   [this](std::string_view, std::exception_ptr error) {
                     failure_ = std::move(error);
                     loop_.stop();
                   }};
};

}  // namespace

int doctor(const workspace::Environment& environment, Report::Form form, std::string_view host) {
  process::open_standard_streams();
  std::vector<Check> of_the_host = check_host(host);
  if (!host.empty() && of_the_host.empty()) {
    log::error("doctor: unknown host {}: one of {}", text::one_line(host), known_hosts());
    return 2;
  }
  Doctor doctor(environment, form, std::move(of_the_host));
  return doctor.run();
}

}  // namespace molecule::cli

#include "cli/doctor_platform.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/text/text.hpp"

namespace molecule::cli {

namespace {

using platform::Errc;
using platform::Error;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Status = Check::Status;

constexpr milliseconds slow_response{2000};
/// Allows for the platform's time having no fractions, and for the time in transit.
constexpr seconds clock_tolerance{30};

constexpr const char* tokens_tab =
    "create a new token in the canvas → Tokens tab, and store it in ";

/// The states of a workspace in which nobody is served, however well its agent runs
/// (platform-api.md 2.6).
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> not_at_work{{
    {"paused", "resume the workspace in the canvas: until then it gets no work"},
    {"hibernated", "wake the workspace in the canvas (resume): until then it gets no work"},
    {"hibernating", "wake the workspace in the canvas (resume): until then it gets no work"},
    {"failed", "look at the workspace's error in the canvas, and restart it there"},
    {"degraded", "look at the workspace's last error in the canvas: the platform counts failures"},
}};

bool is_local(std::string_view url) {
  const std::string_view rest = url.substr(url.find("://") + 3);
  return rest.starts_with("localhost") || rest.starts_with("127.") || rest.starts_with("[::1]");
}

std::string no_answer_help(const Error& error) {
  switch (error.transport.value_or(net::HttpErrc::other)) {
    case net::HttpErrc::cannot_resolve:
      return "check the host name in PLATFORM_URL, and that this machine can resolve host names";
    case net::HttpErrc::cannot_connect:
    case net::HttpErrc::connect_timeout:
      return "check the host and port in PLATFORM_URL, that the platform is running, and the "
             "network in between (firewall, https_proxy, no_proxy)";
    case net::HttpErrc::tls:
      return "check that the server speaks TLS, the date of this machine, and its certificate "
             "authorities (SSL_CERT_FILE)";
    default:
      return "check PLATFORM_URL and the network, then run doctor again";
  }
}

std::string platform_help(const Error& error) {
  switch (error.code) {
    case Errc::not_the_platform:
    case Errc::malformed:
      return "set PLATFORM_URL to the platform's own address, and MOLECULE_ORG_ID if organisations "
             "share the platform";
    case Errc::forbidden:
      return "set PLATFORM_URL to the platform's public address: the platform rejects any other "
             "Origin";
    case Errc::rejected:
      return "set PLATFORM_URL to the address that responds without a redirect";
    case Errc::rate_limited:
      return "wait a minute, then run doctor again";
    case Errc::server_error:
      return "the platform has a problem: run doctor again later, or ask the platform's operator";
    default:
      return no_answer_help(error);
  }
}

Check no_time(const char* name) {
  return {Status::fail, name, "no response in time",
          "run doctor again; if the problem persists, check the network and the platform's load"};
}

Check check_clock(const Answer<platform::Health>& health) {
  // The response was created somewhere within the exchange; assume the middle.
  const WallTime created = health.received - health.latency / 2;
  const auto ahead = duration_cast<seconds>(created - *health.outcome->time);
  const auto apart = ahead < seconds(0) ? -ahead : ahead;
  if (apart < clock_tolerance + health.latency) {
    return {Status::ok, "clock", "agrees with the platform's", ""};
  }
  return {Status::warn, "clock",
          fmt::format("this machine's clock is {} s {} the platform's", apart.count(),
                      ahead > seconds(0) ? "ahead of" : "behind"),
          "set the clock, or enable NTP"};
}

/// A 404 without a reason comes from the platform's tenant guard (platform-api.md 0.8).
bool is_organisation_refusal(const Error& error) {
  return error.code == Errc::not_found && !error.explained;
}

Check organisation_refused(const std::string& org_id) {
  return {
      Status::fail, "organisation",
      org_id.empty()
          ? "MOLECULE_ORG_ID is not set, and the platform does not show the workspace without it"
          : "the platform does not show the workspace to this MOLECULE_ORG_ID",
      "set MOLECULE_ORG_ID to the organisation's id from the canvas; without it heartbeats "
      "succeed and everything else fails"};
}

Check check_existence(const std::string& id, const Answer<std::string>& info) {
  constexpr const char* name = "workspace";
  if (!info.outcome.ok()) {
    const Error& error = info.outcome.error();
    if (error.code == Errc::gone) {
      return {Status::fail, name,
              fmt::format("workspace {} was removed{}", id,
                          error.removed_at.empty() ? "" : " at " + error.removed_at),
              "create a new workspace and a token for it in the canvas, and set WORKSPACE_ID"};
    }
    if (error.code == Errc::not_found) {
      return {
          Status::fail, name, fmt::format("the platform has no workspace {}", id),
          "copy WORKSPACE_ID from the canvas, and check that PLATFORM_URL is the same platform"};
    }
    return {Status::fail, name, error.message, platform_help(error)};
  }
  json::Document document;
  const bool parsed = document.parse(*info.outcome).ok();
  const auto member = [&document, parsed](std::string_view key) {
    return text::sanitize_name(parsed ? document.root()[key].string_or("?") : "?");
  };
  const std::string found = fmt::format("{} is {}", member("name"), member("status"));
  for (const auto& [status, next] : not_at_work) {
    if (member("status") == status) return {Status::warn, name, found, std::string(next)};
  }
  return {Status::ok, name, found, ""};
}

Check check_cursors(const platform::Outcome<platform::ActivityPage>& page) {
  constexpr const char* name = "cursors";
  if (!page.ok() && page.error().code == Errc::gone) {
    return {Status::ok, name, "the platform supports since_id", ""};
  }
  if (page.ok()) {
    return {Status::fail, name,
            "the platform ignores since_id: messages would be delivered again and again",
            "the platform is too old: ask its operator to upgrade it"};
  }
  return {Status::warn, name, "cannot tell whether the platform supports since_id",
          "run doctor again later"};
}

std::vector<Check> check_access(const std::string& token_source,
                                const Answer<platform::ActivityPage>& page) {
  constexpr const char* name = "access";
  std::vector<Check> checks;
  const Errc code = page.outcome.ok() ? Errc::gone : page.outcome.error().code;
  if (code == Errc::unauthorized) {
    return {{Status::fail, name, page.outcome.error().message, tokens_tab + token_source}};
  }
  // A server error for an unknown cursor shows that the token was accepted.
  if (code != Errc::gone && code != Errc::server_error) {
    return {
        {Status::fail, name, page.outcome.error().message, platform_help(page.outcome.error())}};
  }
  if (code == Errc::server_error) {
    checks.push_back(
        {Status::warn, name, page.outcome.error().message, platform_help(page.outcome.error())});
  } else {
    checks.push_back({Status::ok, name, "the platform accepts the token", ""});
  }
  checks.push_back(check_cursors(page.outcome));
  return checks;
}

}  // namespace

bool knows_workspaces(const platform::Outcome<std::string>& info) {
  if (info.ok()) return true;
  const Errc code = info.error().code;
  return code == Errc::gone || (code == Errc::not_found && info.error().explained);
}

std::vector<Check> check_platform(const std::string& url,
                                  const std::optional<Answer<platform::Health>>& health,
                                  bool is_platform) {
  constexpr const char* name = "platform";
  if (!health) return {no_time(name)};
  if (!health->outcome.ok()) {
    const Error& error = health->outcome.error();
    if (error.status == 404) {
      return {{is_platform && error.explained ? Status::warn : Status::fail, name,
               fmt::format("{} responds, but not like a Molecule platform: {}", url, error.message),
               "check that PLATFORM_URL is the platform's own address, path included"}};
    }
    return {{Status::fail, name, error.message, platform_help(error)}};
  }
  std::vector<Check> checks;
  const std::string found = fmt::format("{} responds within {} ms", url, health->latency.count());
  if (url.starts_with("http://") && !is_local(url)) {
    checks.push_back({Status::warn, name,
                      found + ", unencrypted: anyone on the network path can read the token",
                      "use an https:// address, if the platform has one"});
  } else if (health->latency > slow_response) {
    checks.push_back({Status::warn, name, found + ", which is slow",
                      "check the network and the platform's load"});
  } else {
    checks.push_back({Status::ok, name, found, ""});
  }
  if (health->outcome->time) checks.push_back(check_clock(*health));
  return checks;
}

std::vector<Check> check_workspace(const platform::Endpoint& endpoint,
                                   const std::string& token_source,
                                   const std::optional<Answer<std::string>>& info,
                                   const std::optional<Answer<platform::ActivityPage>>& page) {
  if (!info) return {no_time("workspace")};
  if (!info->outcome.ok() && is_organisation_refusal(info->outcome.error())) {
    return {organisation_refused(endpoint.org_id)};
  }
  std::vector<Check> checks{check_existence(endpoint.workspace_id, *info)};
  // The remaining checks mean nothing without the workspace.
  if (checks.front().status == Status::fail) return checks;
  checks.push_back(
      {Status::ok, "organisation",
       endpoint.org_id.empty() ? "not set, and not required by the platform" : "its id is sent",
       ""});
  if (token_source.empty()) return checks;
  if (!page) {
    checks.push_back(no_time("access"));
    return checks;
  }
  for (Check& check : check_access(token_source, *page)) checks.push_back(std::move(check));
  return checks;
}

}  // namespace molecule::cli

#include "cli/doctor_platform.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "base/text/text.hpp"

namespace molecule::cli {

namespace {

using platform::Errc;
using platform::Error;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Status = Check::Status;

constexpr milliseconds slow{2000};
/// The platform's time has no fractions, and the answer was under way.
constexpr seconds clocks_differ{30};

constexpr const char* tokens_tab = "make a new token in the canvas → Tokens tab, and put it into ";

bool is_local(std::string_view url) {
  const std::string_view rest = url.substr(url.find("://") + 3);
  return rest.starts_with("localhost") || rest.starts_with("127.") || rest.starts_with("[::1]");
}

std::string no_answer_help(const Error& error) {
  switch (error.transport.value_or(net::HttpErrc::other)) {
    case net::HttpErrc::cannot_resolve:
      return "check the host name in PLATFORM_URL, and that this machine can look up names";
    case net::HttpErrc::cannot_connect:
    case net::HttpErrc::connect_timeout:
      return "check host and port in PLATFORM_URL, that the platform runs, and what stands between "
             "(firewall, https_proxy, no_proxy)";
    case net::HttpErrc::tls:
      return "check that the platform speaks TLS there, this machine's date, and its certificate "
             "authorities (SSL_CERT_FILE)";
    default:
      return "check PLATFORM_URL and the network, and run it again";
  }
}

std::string platform_help(const Error& error) {
  switch (error.code) {
    case Errc::not_the_platform:
    case Errc::malformed:
      return "set PLATFORM_URL to the platform's own address, and MOLECULE_ORG_ID if it is "
             "shared by organisations";
    case Errc::forbidden:
      return "set PLATFORM_URL to the address under which the platform knows itself: it refuses "
             "any other Origin";
    case Errc::rejected:
      return "set PLATFORM_URL to the address that answers without a redirect";
    case Errc::rate_limited:
      return "wait a minute, and run it again";
    case Errc::server_error:
      return "the platform is in trouble: run it again later, or ask who runs it";
    default:
      return no_answer_help(error);
  }
}

Check no_time(const char* name) {
  return {Status::fail, name, "no answer in the time that there was",
          "run it again; if it stays so, look at the network and the platform's load"};
}

Check check_clock(const Answer<platform::Health>& health) {
  // The answer tells the time of its making, somewhere within the exchange.
  const WallTime made = health.received - health.latency / 2;
  const auto ahead = duration_cast<seconds>(made - *health.outcome->time);
  const auto apart = ahead < seconds(0) ? -ahead : ahead;
  if (apart < clocks_differ + health.latency) {
    return {Status::ok, "clock", "agrees with the platform's", ""};
  }
  return {Status::warn, "clock",
          fmt::format("this machine's clock is {} s {} the platform's", apart.count(),
                      ahead > seconds(0) ? "ahead of" : "behind"),
          "set it, or let it be set (NTP)"};
}

/// An answer without a reason of the platform's own comes from its tenant guard (platform-api.md
/// 0.8).
bool is_organisation_refusal(const Error& error) {
  return error.code == Errc::not_found && !error.explained;
}

Check organisation_refused(const std::string& org_id) {
  return {Status::fail, "organisation",
          org_id.empty() ? "MOLECULE_ORG_ID is not set, and the platform hides the workspace"
                         : "the platform hides the workspace from this MOLECULE_ORG_ID",
          "set MOLECULE_ORG_ID to the organisation's id as the canvas shows it; without it "
          "heartbeats succeed and everything else fails"};
}

Check check_existence(const std::string& id, const Answer<std::string>& info) {
  constexpr const char* name = "workspace";
  if (!info.outcome.ok()) {
    const Error& error = info.outcome.error();
    if (error.code == Errc::gone) {
      return {Status::fail, name,
              fmt::format("workspace {} was removed{}", id,
                          error.removed_at.empty() ? "" : " at " + error.removed_at),
              "make a new workspace and a token for it in the canvas, and set WORKSPACE_ID"};
    }
    if (error.code == Errc::not_found) {
      return {Status::fail, name, fmt::format("the platform knows no workspace {}", id),
              "copy WORKSPACE_ID from the canvas, and check that PLATFORM_URL is its platform"};
    }
    return {Status::fail, name, error.message, platform_help(error)};
  }
  json::Document document;
  const bool parsed = document.parse(*info.outcome).ok();
  const auto member = [&document, parsed](std::string_view key) {
    return text::sanitize_name(parsed ? document.root()[key].string_or("?") : "?");
  };
  return {Status::ok, name, fmt::format("{} is {}", member("name"), member("status")), ""};
}

Check check_cursors(const platform::Outcome<platform::ActivityPage>& page) {
  constexpr const char* name = "cursors";
  if (!page.ok() && page.error().code == Errc::gone) {
    return {Status::ok, name, "the platform knows since_id", ""};
  }
  if (page.ok()) {
    return {Status::fail, name,
            "the platform does not know since_id: messages would come again and again",
            "it is too old for this program: ask who runs it for an upgrade"};
  }
  return {Status::warn, name, "the platform could not tell whether it knows since_id",
          "run it again later"};
}

std::vector<Check> check_access(const std::string& token_source,
                                const Answer<platform::ActivityPage>& page) {
  constexpr const char* name = "access";
  std::vector<Check> checks;
  const Errc code = page.outcome.ok() ? Errc::gone : page.outcome.error().code;
  if (code == Errc::unauthorized) {
    return {{Status::fail, name, page.outcome.error().message, tokens_tab + token_source}};
  }
  // A server error for an unknown cursor comes after the token was checked.
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

std::vector<Check> check_platform(const std::string& url,
                                  const std::optional<Answer<platform::Health>>& health) {
  constexpr const char* name = "platform";
  if (!health) return {no_time(name)};
  if (!health->outcome.ok()) {
    const Error& error = health->outcome.error();
    if (error.code == Errc::not_found) {
      return {
          {Status::warn, name,
           fmt::format("{} answers, but not as a Molecule platform does: {}", url, error.message),
           "check that PLATFORM_URL is the platform's own address"}};
    }
    return {{Status::fail, name, error.message, platform_help(error)}};
  }
  std::vector<Check> checks;
  const std::string found = fmt::format("{} answers within {} ms", url, health->latency.count());
  if (url.starts_with("http://") && !is_local(url)) {
    checks.push_back({Status::warn, name,
                      found + ", unencrypted: anybody on the network can read the token",
                      "use its https:// address, if it has one"});
  } else if (health->latency > slow) {
    checks.push_back({Status::warn, name, found + ", which is slow",
                      "look at the network between, and at the platform's load"});
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
  // The token of a workspace that does not exist is of no use.
  if (checks.front().status == Status::fail) return checks;
  checks.push_back(
      {Status::ok, "organisation",
       endpoint.org_id.empty() ? "none is set, and the platform asks for none" : "its id is sent",
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

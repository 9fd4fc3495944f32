#include "molecule/workspace/config.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "molecule/base/files.hpp"
#include "molecule/base/json_writer.hpp"
#include "molecule/base/log.hpp"
#include "molecule/base/random.hpp"
#include "molecule/base/text.hpp"
#include "molecule/workspace/credentials.hpp"

namespace molecule::workspace {

namespace {

namespace fs = std::filesystem;
using Problems = std::vector<std::string>;

/// The trimmed value; a blank variable is an unset one.
std::string variable(const Environment& environment, std::string_view name) {
  return std::string(text::trim(environment(name).value_or("")));
}

std::string read_workspace_id(const Environment& environment, Problems& problems) {
  const std::string id = variable(environment, "WORKSPACE_ID");
  if (!variable(environment, "MOLECULE_WORKSPACES").empty()) {
    problems.emplace_back(
        "MOLECULE_WORKSPACES: this version serves one workspace a process: set WORKSPACE_ID, "
        "PLATFORM_URL and MOLECULE_WORKSPACE_TOKEN instead");
  } else if (id.empty()) {
    problems.emplace_back("WORKSPACE_ID is not set: set it to the workspace's id (a UUID)");
  } else if (!is_uuid(id)) {
    problems.emplace_back("WORKSPACE_ID is not a UUID: copy the workspace's id from the canvas");
  }
  return text::lower(id);
}

/// Why `url` (without trailing slashes) cannot be the platform's base, or nothing.
std::string_view url_problem(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::string name = text::lower(url.substr(0, scheme));
  if (scheme == std::string_view::npos || (name != "http" && name != "https")) {
    return "it must begin with http:// or https://";
  }
  const std::string_view rest = url.substr(scheme + 3);
  const std::string_view authority = rest.substr(0, rest.find('/'));
  if (authority.empty() || authority.starts_with(':')) return "it names no host";
  if (authority.find('@') != std::string_view::npos) {
    return "it must not hold a user name or a password";
  }
  const bool clean =
      std::all_of(url.begin(), url.end(), [](char c) { return c > '\x20' && c < '\x7F'; });
  if (!clean || url.find_first_of("?#\\\"<>") != std::string_view::npos) {
    return "it must be a base URL alone, without blanks, query or fragment";
  }
  return {};
}

std::string read_platform_url(const Environment& environment, Problems& problems) {
  std::string url = variable(environment, "PLATFORM_URL");
  if (url.empty()) {
    problems.emplace_back(
        "PLATFORM_URL is not set: set it to the platform's address, e.g. https://your.platform");
    return url;
  }
  while (url.ends_with('/')) url.pop_back();
  const std::string_view problem = url_problem(url);
  if (!problem.empty()) problems.push_back(fmt::format("PLATFORM_URL is not usable: {}", problem));
  return url;
}

std::string read_org_id(const Environment& environment) {
  std::string org = variable(environment, "MOLECULE_ORG_ID");
  if (org.empty()) org = variable(environment, "MOLECULE_ORGANIZATION_ID");
  const bool valid = org.size() <= 128 && std::all_of(org.begin(), org.end(), [](char c) {
                       return c >= '\x21' && c <= '\x7E';
                     });
  if (valid) return org;
  log::warning("MOLECULE_ORG_ID is left out: it must be at most 128 visible ASCII characters");
  return {};
}

std::string make_agent_card(const Environment& environment, std::string_view workspace_id) {
  const std::string name = variable(environment, "MOLECULE_AGENT_NAME");
  const std::string description = variable(environment, "MOLECULE_AGENT_DESCRIPTION");
  const std::string skills = variable(environment, "MOLECULE_AGENT_SKILLS");
  json::Writer writer;
  {
    auto card = writer.object();
    card.field("name",
               name.empty() ? fmt::format("molecule-mcp-{}", workspace_id.substr(0, 8)) : name);
    if (!description.empty()) card.field("description", description);
    auto list = card.array("skills");
    for (const std::string& skill : text::split_list(skills, ',')) {
      auto entry = list.object();
      entry.field("name", skill);
    }
  }
  return std::move(writer).take();
}

std::chrono::seconds read_poll_timeout(const Environment& environment) {
  const std::string value = variable(environment, "MOLECULE_MCP_POLL_TIMEOUT_SECS");
  if (value.empty()) return Config().poll_timeout;
  int seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error == std::errc::result_out_of_range) {
    seconds = value.starts_with('-') ? 0 : 60;
  } else if (error != std::errc() || end != value.data() + value.size()) {
    log::warning("MOLECULE_MCP_POLL_TIMEOUT_SECS is not a whole number: it stays at {}",
                 Config().poll_timeout.count());
    return Config().poll_timeout;
  }
  return std::chrono::seconds(std::clamp(seconds, 0, 60));
}

/// Asks the kernel instead of trying: nothing waits for a disk before `initialize` is answered.
bool is_writable_folder(const fs::path& folder) {
  return ::access(folder.c_str(), W_OK | X_OK) == 0;
}

fs::path home_folder(const Environment& environment) {
  const std::string home = variable(environment, "HOME");
  if (!home.empty()) return home;
  const passwd* user = ::getpwuid(::getuid());
  return user != nullptr && user->pw_dir != nullptr ? user->pw_dir : "/";
}

fs::path absolute(const std::string& path) {
  std::error_code failed;
  fs::path result = fs::absolute(path, failed);
  return failed ? fs::path(path) : result;
}

/// molecule-mcp.md 3: the folder of the environment, the container's, or the user's own.
fs::path choose_state_folder(const Environment& environment) {
  const std::string named = variable(environment, "CONFIGS_DIR");
  if (!named.empty()) return absolute(named);
  fs::path container = "/configs";
  std::error_code ignored;
  if (fs::is_directory(container, ignored) && is_writable_folder(container)) return container;
  return home_folder(environment) / ".molecule-workspace";
}

fs::path make_state_folder(const Environment& environment, Problems& problems) {
  const fs::path folder = choose_state_folder(environment);
  std::string problem;
  if (auto made = files::make_private_folder(folder); !made.ok()) {
    problem = made.error().message;
  } else if (!is_writable_folder(folder)) {
    problem = fmt::format("cannot write to folder {}: {}", folder.string(), std::strerror(errno));
  }
  if (!problem.empty()) {
    problems.push_back(fmt::format("{}: set CONFIGS_DIR to a folder that can be written", problem));
  }
  return folder;
}

void check_token(const Environment& environment, const fs::path& state_folder, Problems& problems) {
  Credentials credentials(environment, state_folder);
  if (auto found = credentials.reload(); !found.ok()) {
    problems.push_back(std::move(found.error()));
  } else if (credentials.token().empty()) {
    problems.push_back(
        fmt::format("MOLECULE_WORKSPACE_TOKEN is not set, nor MOLECULE_WORKSPACE_TOKEN_FILE, and "
                    "{} holds none: set one of them to the token of the canvas → Tokens tab",
                    (state_folder / ".auth_token").string()));
  }
}

}  // namespace

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

Result<Config, std::vector<std::string>> load_config(const Environment& environment) {
  Problems problems;
  Config config;
  config.workspace_id = read_workspace_id(environment, problems);
  config.platform_url = read_platform_url(environment, problems);
  config.state_folder = make_state_folder(environment, problems);
  check_token(environment, config.state_folder, problems);
  if (!problems.empty()) return Failure{std::move(problems)};

  config.org_id = read_org_id(environment);
  config.agent_card = make_agent_card(environment, config.workspace_id);
  const std::string uploads = variable(environment, "MOLECULE_CHAT_UPLOAD_DIR");
  config.upload_folder = uploads.empty() ? config.state_folder / "uploads" : absolute(uploads);
  config.verbose = !variable(environment, "MOLECULE_MCP_VERBOSE").empty();
  config.heartbeat = variable(environment, "MOLECULE_MCP_DISABLE_HEARTBEAT").empty();
  config.inbox = variable(environment, "MOLECULE_MCP_DISABLE_INBOX").empty();
  config.poll_timeout = read_poll_timeout(environment);
  return config;
}

}  // namespace molecule::workspace

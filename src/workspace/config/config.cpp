#include "workspace/config/config.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/files/files.hpp"
#include "base/files/paths.hpp"
#include "base/json/writer.hpp"
#include "base/log.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "workspace/config/config_file.hpp"
#include "workspace/config/credentials.hpp"
#include "workspace/config/state_folder.hpp"
#include "workspace/config/workspace_list.hpp"

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
  if (id.empty()) {
    problems.emplace_back("WORKSPACE_ID is not set: set it to the workspace's id (a UUID)");
  } else if (!is_uuid(id)) {
    problems.emplace_back("WORKSPACE_ID is not a UUID: copy the workspace's id from the canvas");
    return {};
  }
  return text::lower(id);
}

std::string read_platform_url(const Environment& environment, Problems& problems) {
  std::string given = variable(environment, "PLATFORM_URL");
  if (given.empty()) {
    problems.emplace_back(
        "PLATFORM_URL is not set: set it to the platform's address, e.g. https://your.platform");
    return given;
  }
  auto url = check_platform_url(given);
  if (url.ok()) return std::move(*url);
  problems.push_back(fmt::format("PLATFORM_URL is not usable: {}", url.error()));
  return {};
}

std::string read_org_id(const Environment& environment, Problems& warnings) {
  std::string org = variable(environment, "MOLECULE_ORG_ID");
  if (org.empty()) org = variable(environment, "MOLECULE_ORGANIZATION_ID");
  const bool valid = org.size() <= 128 && std::all_of(org.begin(), org.end(), [](char c) {
                       return c >= '\x21' && c <= '\x7E';
                     });
  if (valid) return org;
  warnings.emplace_back(
      "MOLECULE_ORG_ID is left out: it must be at most 128 visible ASCII characters");
  return {};
}

std::string make_agent_card(const Environment& environment, std::string_view workspace_id) {
  const std::string name = variable(environment, "MOLECULE_AGENT_NAME");
  const std::string description = variable(environment, "MOLECULE_AGENT_DESCRIPTION");
  const std::string skills = variable(environment, "MOLECULE_AGENT_SKILLS");
  json::Writer writer;
  {
    auto card = writer.object();
    card.field("name", name.empty() ? fmt::format("molecule-mcp-{}", workspace_id) : name);
    if (!description.empty()) card.field("description", description);
    auto list = card.array("skills");
    for (const std::string& skill : text::split_list(skills, ',')) {
      auto entry = list.object();
      entry.field("name", skill);
    }
  }
  return std::move(writer).take();
}

std::chrono::seconds read_poll_timeout(const Environment& environment, Problems& warnings) {
  const std::string value = variable(environment, "MOLECULE_MCP_POLL_TIMEOUT_SECS");
  if (value.empty()) return Config().poll_timeout;
  int seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error == std::errc::result_out_of_range) {
    seconds = value.starts_with('-') ? 0 : 60;
  } else if (error != std::errc() || end != value.data() + value.size()) {
    warnings.push_back(
        fmt::format("MOLECULE_MCP_POLL_TIMEOUT_SECS is not a whole number: it stays at {}",
                    Config().poll_timeout.count()));
    return Config().poll_timeout;
  }
  return std::chrono::seconds(std::clamp(seconds, 0, 60));
}

/// What the daemon tells the MCP server of a handler; anything else than its own numbers is none.
std::optional<Config::Handler> read_handler(const Environment& environment) {
  const std::string session = variable(environment, "MOLECULE_MCP_SESSION_OF");
  const std::string hops = variable(environment, "MOLECULE_MCP_HOPS");
  Config::Handler handler;
  const auto read = [](const std::string& text, auto& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() && number >= 0;
  };
  if (!read(session, handler.session)) return std::nullopt;
  if (!read(hops, handler.hops)) handler.hops = 0;
  handler.conversation = variable(environment, "MOLECULE_CONVERSATION");
  return handler;
}

/// Asks the kernel instead of trying: no disk access before `initialize` is answered.
bool is_writable_folder(const fs::path& folder) {
  return ::access(folder.c_str(), W_OK | X_OK) == 0;
}

/// Stands in for a configured path that cannot be used.
constexpr const char* no_folder = "/dev/null/no-folder";

/// The path that a variable names, if it is set.
std::optional<fs::path> path_variable(const Environment& environment, std::string_view name,
                                      Problems& problems) {
  const std::string given = variable(environment, name);
  if (given.empty()) return std::nullopt;
  auto path = files::configured_path(given, home_folder(environment));
  if (path.ok()) return std::move(*path);
  problems.push_back(fmt::format("{}: {}", name, path.error()));
  return no_folder;
}

/// molecule-mcp.md 3: the folder of the environment, the container's, or the user's own.
fs::path choose_state_folder(const Environment& environment, Problems& problems) {
  if (auto named = path_variable(environment, "CONFIGS_DIR", problems)) return *std::move(named);
  fs::path container = "/configs";
  std::error_code ignored;
  if (fs::is_directory(container, ignored) && is_writable_folder(container)) return container;
  return home_folder(environment) / ".molecule-workspace";
}

void make_state_folder(const fs::path& folder, Problems& problems) {
  std::string problem;
  if (auto made = files::make_private_folder(folder); !made.ok()) {
    problem = made.error().message;
  } else if (!is_writable_folder(folder)) {
    problem = fmt::format("cannot write to folder {}: {}", folder.string(), std::strerror(errno));
  }
  if (!problem.empty()) {
    problems.push_back(fmt::format("{}: set CONFIGS_DIR to a folder that can be written", problem));
  }
}

void set_folder(const std::optional<fs::path>& uploads, WorkspaceConfig& workspace,
                fs::path folder) {
  workspace.upload_folder = uploads.value_or(folder / "uploads");
  workspace.state_folder = std::move(folder);
}

/// Once, before its own folder is made: people may expect the token in the base.
void tell_of_other_owner(const Reading& reading) {
  const WorkspaceConfig& one = reading.config.workspaces.front();
  const bool known = reading.several || one.state_folder == reading.state_folder ||
                     ::access(one.state_folder.c_str(), F_OK) == 0;
  const std::string owner = known ? std::string() : owner_of_folder(reading.state_folder);
  if (owner.empty()) return;
  log::warning(
      "{} is the state folder of workspace {}: workspace {} gets {}, with a token and an inbox of "
      "its own (CONFIGS_DIR chooses another folder)",
      reading.state_folder.string(), owner, one.id, one.state_folder.string());
}

void check_token(const WorkspaceConfig& workspace, Problems& problems, Problems& warnings) {
  Credentials credentials(workspace.token, workspace.state_folder);
  if (auto found = credentials.require(); !found.ok()) {
    problems.push_back(std::move(found.error()));
  } else if (std::string warning = credentials.warning(); !warning.empty()) {
    warnings.push_back(std::move(warning));
  }
}

/// WORKSPACE_ID and what goes with it.
WorkspaceConfig read_one(const Environment& environment, const fs::path& state, bool several,
                         Problems& problems) {
  WorkspaceConfig one;
  one.id = read_workspace_id(environment, problems);
  one.platform_url = read_platform_url(environment, problems);
  one.token.environment = environment;
  one.state_folder = one.id.empty() ? state : find_state_folder(state, one.id, several);
  return one;
}

/// The environment, completed by config.toml: by the entry that WORKSPACE_ID names, or by the only
/// one.
Environment complete_environment(const ConfigFile& file, const Environment& process) {
  const std::string id = variable(process, "WORKSPACE_ID");
  const ConfigFile::Entry* entry = id.empty() ? nullptr : file.find(id);
  const bool only =
      id.empty() && variable(process, "MOLECULE_WORKSPACES").empty() && file.entries().size() == 1;
  if (only) entry = &file.entries().front();
  return file.complete(process, entry);
}

/// The workspaces of config.toml, if there are several.
std::vector<WorkspaceConfig> read_entries(const ConfigFile& file, const Environment& process,
                                          const fs::path& state, Problems& problems) {
  std::vector<WorkspaceConfig> workspaces;
  for (const ConfigFile::Entry& entry : file.entries()) {
    const Environment environment = file.complete(process, &entry, true);
    // Reported by the file's own checks.
    if (is_uuid(entry.id)) workspaces.push_back(read_one(environment, state, true, problems));
  }
  return workspaces;
}

/// Makes the workspace's folder. If it is not the expected one, which another process has taken
/// meanwhile, looks for the token there.
void take_folder(Reading& reading, WorkspaceConfig& workspace) {
  Problems& problems = reading.problems;
  auto folder = take_state_folder(reading.state_folder, workspace.id, reading.several);
  if (!folder.ok()) {
    problems.push_back(
        fmt::format("{}: set CONFIGS_DIR to a folder that can be written", folder.error().message));
    return;
  }
  make_state_folder(*folder, problems);
  if (*folder == workspace.state_folder) return;
  set_folder(reading.upload_folder, workspace, std::move(*folder));
  check_token(workspace, problems, reading.warnings);
}

}  // namespace

fs::path home_folder(const Environment& environment) {
  const std::string home = variable(environment, "HOME");
  // A relative path would be a different folder for each working directory.
  if (home.starts_with('/')) return home;
  const passwd* user = ::getpwuid(::getuid());
  return user != nullptr && user->pw_dir != nullptr ? user->pw_dir : "/";
}

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

Reading read_config(const Environment& process) {
  Reading reading;
  Config& config = reading.config;
  Problems in_file;
  const ConfigFile file = ConfigFile::read(process, in_file);
  const Environment environment = complete_environment(file, process);
  reading.state_folder = choose_state_folder(environment, reading.problems);
  reading.knows_folders = reading.problems.empty();
  reading.upload_folder = path_variable(environment, "MOLECULE_CHAT_UPLOAD_DIR", reading.problems);
  const fs::path& state = reading.state_folder;
  const std::string list = variable(environment, "MOLECULE_WORKSPACES");
  if (list.empty() && variable(environment, "WORKSPACE_ID").empty() && file.entries().size() > 1) {
    reading.several = true;
    config.workspaces = read_entries(file, process, state, reading.problems);
  } else if (list.empty()) {
    config.workspaces.push_back(read_one(environment, state, false, reading.problems));
  } else {
    reading.several = true;
    config.workspaces = read_workspace_list(
        environment, list, variable(environment, "PLATFORM_URL"), state, reading.problems);
  }
  config.org_id = read_org_id(environment, reading.warnings);
  for (WorkspaceConfig& one : config.workspaces) {
    one.agent_card = make_agent_card(one.token.environment, one.id);
    set_folder(reading.upload_folder, one, one.state_folder);
  }
  config.verbose = !variable(environment, "MOLECULE_MCP_VERBOSE").empty();
  config.heartbeat = variable(environment, "MOLECULE_MCP_DISABLE_HEARTBEAT").empty();
  config.inbox = variable(environment, "MOLECULE_MCP_DISABLE_INBOX").empty();
  const std::string stays = variable(environment, "MOLECULE_MCP_STAY");
  config.stays = !stays.empty() && stays != "0";
  config.relays_permissions = variable(environment, "MOLECULE_MCP_PERMISSION_RELAY") == "1";
  config.poll_timeout = read_poll_timeout(environment, reading.warnings);
  config.handler = read_handler(environment);
  // A file that cannot be read must not stop an agent that its environment configures.
  const bool enough = !list.empty() || (!variable(process, "WORKSPACE_ID").empty() &&
                                        !variable(process, "PLATFORM_URL").empty());
  Problems& told = enough ? reading.warnings : reading.problems;
  told.insert(told.end(), in_file.begin(), in_file.end());
  return reading;
}

Config provisional_config(const Environment& environment) {
  Config config = read_config(environment).config;
  if (config.workspaces.empty()) config.workspaces.emplace_back();
  for (WorkspaceConfig& one : config.workspaces) {
    one.token.environment = [](std::string_view) { return std::nullopt; };
    one.agent_card = "{}";
    one.state_folder = no_folder;
    one.upload_folder = no_folder;
  }
  return config;
}

Result<Config, std::vector<std::string>> load_config(const Environment& environment) {
  Reading reading = read_config(environment);
  Problems& problems = reading.problems;
  if (!reading.knows_folders) return Failure{std::move(problems)};
  make_state_folder(reading.state_folder, problems);
  for (const WorkspaceConfig& one : reading.config.workspaces) {
    check_token(one, problems, reading.warnings);
  }
  // Nothing is said before all is correct: a host that stays has it tried again.
  if (!problems.empty()) return Failure{std::move(problems)};
  tell_of_other_owner(reading);
  // A workspace's own folder is made only if everything is correct.
  for (WorkspaceConfig& one : reading.config.workspaces) {
    take_folder(reading, one);
  }
  if (!problems.empty()) return Failure{std::move(problems)};
  for (const std::string& warning : reading.warnings) log::warning("{}", warning);
  return std::move(reading.config);
}

}  // namespace molecule::workspace

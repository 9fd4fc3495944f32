#include "cli/install/server_entry.hpp"

#include <fmt/format.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "cli/install/toml_edit.hpp"
#include "cli/session/choose.hpp"
#include "workspace/config/config_file.hpp"

namespace molecule::cli {

namespace {

namespace fs = std::filesystem;

std::string variable(const workspace::Environment& environment, std::string_view name) {
  return std::string(text::trim(environment(name).value_or("")));
}

/// Lower-case letters, digits and single hyphens, short enough for the names that hosts make of
/// server and tool.
std::string slug(std::string_view name) {
  constexpr std::size_t max = 20;
  std::string out;
  for (const char c : text::lower(name)) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      out += c;
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
    if (out.size() == max) break;
  }
  while (out.ends_with('-')) out.pop_back();
  return out;
}

std::string executable() {
#ifdef __APPLE__
  std::array<char, 4096> path{};
  auto size = static_cast<std::uint32_t>(path.size());
  if (::_NSGetExecutablePath(path.data(), &size) == 0) return path.data();
  return {};
#else
  std::error_code failed;
  const fs::path path = fs::read_symlink("/proc/self/exe", failed);
  return failed ? std::string() : path.string();
#endif
}

std::string json_list(const std::vector<std::string>& values) {
  json::Writer writer;
  {
    auto list = writer.array();
    for (const std::string& value : values) list.value(value);
  }
  return std::move(writer).take();
}

std::string json_object(const std::vector<std::pair<std::string, std::string>>& members) {
  json::Writer writer;
  {
    auto o = writer.object();
    for (const auto& [name, value] : members) o.field(name, value);
  }
  return std::move(writer).take();
}

/// In single quotes if a shell would read it otherwise.
std::string shell_quoted(std::string_view text) {
  const bool plain = std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+:@%").find(c) != std::string_view::npos;
  });
  if (plain && !text.empty()) return std::string(text);
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::string find_in_path(std::string_view name, const workspace::Environment& environment) {
  for (const std::string& folder : text::split_list(variable(environment, "PATH"), ':')) {
    const fs::path path = fs::path(folder) / name;
    std::error_code ignored;
    if (path.is_absolute() && ::access(path.c_str(), X_OK) == 0 &&
        fs::is_regular_file(path, ignored)) {
      return path.string();
    }
  }
  return {};
}

std::string program_path(const workspace::Environment& environment) {
  std::string own = executable();
  std::string named = find_in_path("molecule-mcp", environment);
  std::error_code failed;
  // A package manager's link stays when the version behind it changes.
  if (!named.empty() && fs::equivalent(named, own, failed) && !failed) return named;
  return own;
}

ServerEntry make_entry(const workspace::WorkspaceConfig& workspace,
                       const workspace::Environment& environment) {
  ServerEntry entry;
  std::string name = slug(card_name(workspace));
  // The card's default name begins like the program's.
  // The end of an id is random; the platform's begin with a time, which neighbours share.
  if (name.empty() || name.starts_with("molecule-mcp-")) {
    name = workspace.id.substr(workspace.id.size() - std::min<std::size_t>(workspace.id.size(), 8));
  }
  entry.name = "molecule-" + name;
  entry.command = program_path(environment);
  entry.arguments = {"serve"};
  entry.variables.emplace_back("WORKSPACE_ID", workspace.id);
  entry.variables.emplace_back("MOLECULE_MCP_STAY", "1");
  std::vector<std::string> ignored;
  const auto file = workspace::ConfigFile::read(environment, ignored);
  if (file.find(workspace.id) == nullptr) {
    entry.variables.emplace_back("PLATFORM_URL", workspace.platform_url);
  }
  for (const char* one :
       {"CONFIGS_DIR", "MOLECULE_ORG_ID", "MOLECULE_WORKSPACE_TOKEN_FILE", "XDG_CONFIG_HOME"}) {
    if (std::string value = variable(environment, one); !value.empty()) {
      entry.variables.emplace_back(one, std::move(value));
    }
  }
  return entry;
}

std::vector<std::pair<std::string, std::string>> json_members(const Host& host,
                                                              const ServerEntry& entry,
                                                              bool allow_tools) {
  std::vector<std::pair<std::string, std::string>> members;
  if (host.entry == Host::Entry::opencode) {
    std::vector<std::string> command{entry.command};
    command.insert(command.end(), entry.arguments.begin(), entry.arguments.end());
    members = {{"type", "\"local\""},
               {"command", json_list(command)},
               {"environment", json_object(entry.variables)},
               {"enabled", "true"}};
    return members;
  }
  if (host.entry == Host::Entry::typed) members.emplace_back("type", "\"stdio\"");
  if (host.entry == Host::Entry::copilot) members.emplace_back("type", "\"local\"");
  members.emplace_back("command", json::quoted(entry.command));
  members.emplace_back("args", json_list(entry.arguments));
  members.emplace_back("env", json_object(entry.variables));
  if (host.entry == Host::Entry::copilot) members.emplace_back("tools", R"(["*"])");
  if (!host.timeout_key.empty()) {
    members.emplace_back(host.timeout_key, std::to_string(host.timeout));
  }
  const bool trusts = host.name == "gemini" || host.name == "qwen";
  if (allow_tools && trusts) members.emplace_back("trust", "true");
  return members;
}

std::string toml_tables(const Host& host, const ServerEntry& entry, bool allow_tools) {
  // Only these characters are in its name, so that it needs no quotes.
  std::string out = fmt::format("[{}.{}]\ncommand = {}\nargs = [", host.servers.front(), entry.name,
                                toml_quoted(entry.command));
  for (std::size_t i = 0; i < entry.arguments.size(); ++i) {
    out += (i == 0 ? "" : ", ") + toml_quoted(entry.arguments[i]);
  }
  out += fmt::format("]\n{} = {}\n", host.timeout_key, host.timeout);
  if (allow_tools) out += "default_tools_approval_mode = \"approve\"\n";
  out += fmt::format("\n[{}.{}.env]\n", host.servers.front(), entry.name);
  for (const auto& [name, value] : entry.variables) {
    out += fmt::format("{} = {}\n", name, toml_quoted(value));
  }
  return out;
}

std::string hook_command(const ServerEntry& entry, std::string_view event,
                         std::string_view workspace_id) {
  return fmt::format("{} hook {} --workspace {}", shell_quoted(entry.command), event, workspace_id);
}

}  // namespace molecule::cli

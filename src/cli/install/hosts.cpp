#include "cli/install/hosts.hpp"

#include <unistd.h>

#include <string>

#include "base/text/text.hpp"

namespace molecule::cli {

namespace {

namespace fs = std::filesystem;
using workspace::Environment;

/// The folder that the variable names, else `otherwise`.
fs::path folder(const Environment& environment, std::string_view variable, fs::path otherwise) {
  const std::string named(text::trim(environment(variable).value_or("")));
  return named.starts_with('/') ? fs::path(named) : otherwise;
}

/// Where VS Code keeps a user's settings.
fs::path code_folder(const Environment& environment, const fs::path& home) {
#ifdef __APPLE__
  return home / "Library" / "Application Support" / "Code" / "User";
#else
  return folder(environment, "XDG_CONFIG_HOME", home / ".config") / "Code" / "User";
#endif
}

/// The longest wait of a tool is 300 s.
constexpr int tool_seconds = 330;

Host claude(const Environment& environment, const fs::path& home) {
  Host host{.name = "claude-code", .title = "Claude Code", .entry = Host::Entry::typed};
  const fs::path named = folder(environment, "CLAUDE_CONFIG_DIR", {});
  host.file = (named.empty() ? home : named) / ".claude.json";
  host.settings = (named.empty() ? home / ".claude" : named) / "settings.json";
  host.hooks = Host::Hooks::claude;
  return host;
}

Host codex(const Environment& environment, const fs::path& home) {
  Host host{.name = "codex", .title = "Codex", .form = Host::Form::toml};
  const fs::path base = folder(environment, "CODEX_HOME", home / ".codex");
  host.servers = {"mcp_servers"};
  host.file = base / "config.toml";
  host.settings = base / "hooks.json";
  host.hooks = Host::Hooks::claude;
  host.timeout_key = "tool_timeout_sec";
  host.timeout = tool_seconds;
  host.note = "Codex runs hooks only after you trusted them: it asks at its next start.";
  return host;
}

Host gemini(std::string_view name, std::string_view title, const fs::path& file) {
  Host host{.name = name, .title = title};
  host.file = file;
  host.settings = file;
  host.timeout_key = "timeout";
  host.timeout = tool_seconds * 1000;
  return host;
}

Host opencode(const Environment& environment, const fs::path& home) {
  Host host{.name = "opencode", .title = "opencode", .dialect = {.trailing_commas = true}};
  const fs::path base = folder(environment, "XDG_CONFIG_HOME", home / ".config") / "opencode";
  host.entry = Host::Entry::opencode;
  host.servers = {"mcp"};
  host.file = base / "opencode.jsonc";
  const bool only_json = ::access(host.file.c_str(), F_OK) != 0 &&
                         ::access((base / "opencode.json").c_str(), F_OK) == 0;
  if (only_json) host.file = base / "opencode.json";
  return host;
}

Host vscode(const Environment& environment, const fs::path& home) {
  Host host{.name = "vscode", .title = "VS Code", .dialect = {.trailing_commas = true}};
  host.entry = Host::Entry::typed;
  host.servers = {"servers"};
  host.file = code_folder(environment, home) / "mcp.json";
  return host;
}

Host cline(const Environment& environment, const fs::path& home) {
  Host host{.name = "cline", .title = "Cline", .dialect = {.trailing_commas = true}};
  host.file = code_folder(environment, home) / "globalStorage" / "saoudrizwan.claude-dev" /
              "settings" / "cline_mcp_settings.json";
  host.timeout_key = "timeout";
  host.timeout = tool_seconds;
  return host;
}

Host openclaw(const Environment& environment, const fs::path& home) {
  Host host{
      .name = "openclaw", .title = "OpenClaw", .dialect = {.trailing_commas = true, .json5 = true}};
  host.servers = {"mcp", "servers"};
  host.file = folder(environment, "OPENCLAW_STATE_DIR", home / ".openclaw") / "openclaw.json";
  return host;
}

Host copilot(const Environment& environment, const fs::path& home) {
  Host host{.name = "copilot", .title = "GitHub Copilot CLI", .entry = Host::Entry::copilot};
  host.file = folder(environment, "COPILOT_HOME", home / ".copilot") / "mcp-config.json";
  return host;
}

}  // namespace

Host find_host(std::string_view name, const Environment& environment) {
  const fs::path home = workspace::home_folder(environment);
  if (name == "codex") return codex(environment, home);
  if (name == "gemini") {
    Host host = gemini("gemini", "Gemini CLI", home / ".gemini" / "settings.json");
    host.hooks = Host::Hooks::gemini;
    return host;
  }
  if (name == "qwen") return gemini("qwen", "Qwen Code", home / ".qwen" / "settings.json");
  if (name == "opencode") return opencode(environment, home);
  if (name == "cursor") {
    Host host{.name = "cursor", .title = "Cursor", .dialect = {.trailing_commas = true}};
    host.file = home / ".cursor" / "mcp.json";
    return host;
  }
  if (name == "vscode") return vscode(environment, home);
  if (name == "cline") return cline(environment, home);
  if (name == "openclaw") return openclaw(environment, home);
  if (name == "copilot") return copilot(environment, home);
  return claude(environment, home);
}

}  // namespace molecule::cli

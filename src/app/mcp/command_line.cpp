#include "app/mcp/command_line.hpp"

#include <optional>
#include <string_view>

namespace molecule::app {

const char* const usage =
    R"(usage: molecule-mcp [serve] [--era ERA]  MCP server on stdin and stdout for one agent host; keeps
                                         the workspaces online meanwhile
       molecule-mcp doctor [--json]      looks for what is wrong, here and on the platform, and
                                         says what to do; changes nothing
       molecule-mcp status [--json]      who serves each workspace here, its last heartbeat and
                                         poll, its inbox, its last error; asks no network
       molecule-mcp --help               this text
       molecule-mcp --version            the version

ERA, of the protocol: auto (the default: each request says which), initialize (2024-11-05 to
2025-11-25) or stateless (2026-07-28).

Environment:
  WORKSPACE_ID                    the workspace's id (required)
  PLATFORM_URL                    the platform's address (required)
  MOLECULE_WORKSPACE_TOKEN        the workspace's token, or
  MOLECULE_WORKSPACE_TOKEN_FILE   a file that holds it, or .auth_token in the state folder
  CONFIGS_DIR                     state folder (else /configs, else ~/.molecule-workspace)
  MOLECULE_AGENT_NAME, MOLECULE_AGENT_DESCRIPTION, MOLECULE_AGENT_SKILLS
                                  the agent card; skills separated by commas
  MOLECULE_ORG_ID                 sent as X-Molecule-Org-Id
  MOLECULE_MCP_VERBOSE            any value: say on stderr what happens
  MOLECULE_MCP_DISABLE_HEARTBEAT  any value: neither register nor heartbeat
  MOLECULE_MCP_DISABLE_INBOX      any value: no inbox
  MOLECULE_MCP_POLL_TIMEOUT_SECS  how long the agent is told to wait each turn (2; 0..60)
  MOLECULE_CHAT_UPLOAD_DIR        where received files go
  MOLECULE_WORKSPACES             several workspaces instead of one: a JSON array of
                                  {"id", "token", "platform_url"}
  NO_COLOR                        any value: doctor prints no colours

Examples:
  molecule-mcp doctor
  molecule-mcp doctor --json | jq '.checks[] | select(.status != "OK")'
  molecule-mcp status
  molecule-mcp status --json | jq '.workspaces[].inbox.new'

Exit codes: 0 the host has gone or a signal came, or doctor found no failure; 1 doctor found one,
or an internal error; 2 configuration or usage; 3 the platform rejected the token.
)";

namespace {

std::optional<mcp::Era> parse_era(std::string_view name) {
  if (name == "auto") return mcp::Era::automatic;
  if (name == "initialize") return mcp::Era::initialize_only;
  if (name == "stateless") return mcp::Era::stateless_only;
  return std::nullopt;
}

/// What may follow `serve`: `--era ERA` or `--era=ERA`.
CommandLine parse_serve(std::span<const char* const> options) {
  constexpr std::string_view name = "--era";
  CommandLine line;
  while (!options.empty()) {
    std::string_view value = options.front();
    options = options.subspan(1);
    if (value == name && !options.empty()) {
      value = options.front();
      options = options.subspan(1);
    } else if (value.starts_with(name) && value.substr(name.size()).starts_with('=')) {
      value.remove_prefix(name.size() + 1);
    } else {
      return {.command = Command::unknown};
    }
    const auto era = parse_era(value);
    if (!era) return {.command = Command::unknown};
    line.era = *era;
  }
  return line;
}

/// What may follow a command that reports: `--json`.
CommandLine parse_report(Command command, std::span<const char* const> options) {
  if (options.empty()) return {.command = command};
  const std::string_view only = options.front();
  if (options.size() > 1) return {.command = Command::unknown};
  if (only == "--help" || only == "-h") return {.command = Command::help};
  if (only != "--json") return {.command = Command::unknown};
  return {.command = command, .json = true};
}

}  // namespace

CommandLine parse_command_line(std::span<const char* const> arguments) {
  if (arguments.empty()) return {};
  const std::string_view first = arguments.front();
  if (first == "--help" || first == "-h") return {.command = Command::help};
  if (first == "--version") return {.command = Command::version};
  if (first == "doctor") return parse_report(Command::doctor, arguments.subspan(1));
  if (first == "status") return parse_report(Command::status, arguments.subspan(1));
  return parse_serve(first == "serve" ? arguments.subspan(1) : arguments);
}

}  // namespace molecule::app

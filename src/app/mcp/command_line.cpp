#include "app/mcp/command_line.hpp"

#include <optional>
#include <string_view>

namespace molecule::app {

const char* const usage =
    R"(usage: molecule-mcp [serve] [--era ERA]  run an MCP server on stdin and stdout for one agent
                                         host, and keep the workspaces online meanwhile
       molecule-mcp daemon [OPTION]…     keep the workspaces online with no host, and give messages
                                         to a handler; `daemon --help` has its options
       molecule-mcp doctor [--json] [--host NAME]
                                         check this machine and the platform for problems, and
                                         print what to do about them; changes nothing. With
                                         --host also what to set in that agent host
       molecule-mcp status [--json]      print each workspace's owner, last heartbeat, last poll,
                                         inbox and last error; makes no network requests
       molecule-mcp --help               print this help
       molecule-mcp --version            print the version

ERA is the protocol era to serve: auto (default; each request states its own), initialize
(2024-11-05 to 2025-11-25) or stateless (2026-07-28).

Environment:
  WORKSPACE_ID                    the workspace's id (required)
  PLATFORM_URL                    the platform's address (required)
  MOLECULE_WORKSPACE_TOKEN        the workspace's token; or
  MOLECULE_WORKSPACE_TOKEN_FILE   a file that contains it; or .auth_token in the state folder
  CONFIGS_DIR                     state folder (/configs if writable, else ~/.molecule-workspace);
                                  paths in variables are absolute or begin with ~/
  MOLECULE_AGENT_NAME, MOLECULE_AGENT_DESCRIPTION, MOLECULE_AGENT_SKILLS
                                  the agent card; skills are separated by commas
  MOLECULE_ORG_ID                 organisation id, sent as X-Molecule-Org-Id
  MOLECULE_LOG                    what stderr gets: debug, info, warning (the default) or error
  MOLECULE_MCP_VERBOSE            any value: the same as MOLECULE_LOG=info
  MOLECULE_MCP_DISABLE_HEARTBEAT  any value: do not register or send heartbeats
  MOLECULE_MCP_DISABLE_INBOX      any value: do not fetch messages
  MOLECULE_MCP_PERMISSION_RELAY   1: let the person answer Claude Code's permission prompts on the
                                  platform
  MOLECULE_MCP_STAY               1: stay with an agent host while the token or the configuration
                                  is wrong, say so in every tool, and go on once it is right
  MOLECULE_MCP_POLL_TIMEOUT_SECS  seconds the agent is told to wait per turn (default 2; 0 to 60)
  MOLECULE_CHAT_UPLOAD_DIR        folder for received files (default: uploads in the state folder)
  MOLECULE_WORKSPACES             several workspaces instead of one: a JSON array of
                                  {"id", "token", "platform_url"}
  http_proxy, https_proxy, all_proxy, no_proxy
                                  as for curl, but loopback addresses are reached directly
  MOLECULE_PROXY_LOOPBACK         any value: loopback addresses go through the proxy too
  MOLECULE_ALLOW_CORE_DUMPS       any value: allow core dumps, which contain the token, and
                                  debuggers
  NO_COLOR                        any value: no colours in doctor's output

Examples:
  molecule-mcp doctor
  molecule-mcp doctor --json | jq '.checks[] | select(.status != "OK")'
  molecule-mcp status
  molecule-mcp status --json | jq '.workspaces[].inbox.new'

Exit codes: 0 the host closed stdin or stdout, a signal arrived, or doctor found no failure;
1 doctor found a failure, output could not be written, or an internal error; 2 invalid
configuration or usage; 3 the platform rejected the token.
)";

namespace {

std::optional<mcp::Era> parse_era(std::string_view name) {
  if (name == "auto") return mcp::Era::automatic;
  if (name == "initialize") return mcp::Era::initialize_only;
  if (name == "stateless") return mcp::Era::stateless_only;
  return std::nullopt;
}

/// The options of `serve`: `--era ERA` or `--era=ERA`.
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

/// The options of `doctor` and `status`: `--json`, and of the first `--host NAME`.
CommandLine parse_report(Command command, std::span<const char* const> options) {
  CommandLine line{.command = command};
  while (!options.empty()) {
    const std::string_view option = options.front();
    options = options.subspan(1);
    if (option == "--help" || option == "-h") return {.command = Command::help};
    if (option == "--json" && !line.json) {
      line.json = true;
    } else if (option == "--host" && command == Command::doctor && !options.empty() &&
               line.host.empty()) {
      line.host = options.front();
      options = options.subspan(1);
    } else {
      return {.command = Command::unknown};
    }
  }
  return line;
}

}  // namespace

CommandLine parse_command_line(std::span<const char* const> arguments) {
  if (arguments.empty()) return {};
  const std::string_view first = arguments.front();
  if (first == "--help" || first == "-h") return {.command = Command::help};
  if (first == "--version") return {.command = Command::version};
  if (first == "daemon") return {.command = Command::daemon, .rest = arguments.subspan(1)};
  if (first == "doctor") return parse_report(Command::doctor, arguments.subspan(1));
  if (first == "status") return parse_report(Command::status, arguments.subspan(1));
  return parse_serve(first == "serve" ? arguments.subspan(1) : arguments);
}

}  // namespace molecule::app

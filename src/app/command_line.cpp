#include "command_line.hpp"

#include <string_view>

namespace molecule::app {

const char* const usage =
    R"(usage: molecule-mcp [serve]      MCP server on stdin and stdout for one agent host; keeps the
                               workspace online meanwhile
       molecule-mcp --help     this text
       molecule-mcp --version  the version

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
  MOLECULE_MCP_POLL_TIMEOUT_SECS  how long the agent is told to wait a turn (2; 0..60)
  MOLECULE_CHAT_UPLOAD_DIR        where received files go

Exit codes: 0 the host has gone or a signal came; 1 internal error; 2 configuration or usage;
3 the platform rejected the token.
)";

Command parse_command(std::span<const char* const> arguments) {
  if (arguments.empty()) return Command::serve;
  const std::string_view first = arguments.front();
  if (first == "--help" || first == "-h") return Command::help;
  if (first == "--version") return Command::version;
  const bool serve = first == "serve" && arguments.size() == 1;
  return serve ? Command::serve : Command::unknown;
}

}  // namespace molecule::app

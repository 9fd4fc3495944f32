#include <array>

#include "cli/commands/help.hpp"

namespace molecule::cli {

namespace {

constexpr std::string_view environment =
    R"(Every command reads these; config.toml, which `molecule-mcp setup` writes, stands in for those that
are not set. Paths are absolute or begin with ~/.

  WORKSPACE_ID                    the workspace's id
  PLATFORM_URL                    the platform's address
  MOLECULE_WORKSPACE_TOKEN        the workspace's token; or
  MOLECULE_WORKSPACE_TOKEN_FILE   a file that contains it; or .auth_token in the state folder
  MOLECULE_WORKSPACES             several workspaces instead of one: a JSON array of
                                  {"id", "token", "platform_url"}
  CONFIGS_DIR                     state folder (/configs if writable, else ~/.molecule-workspace)
  XDG_CONFIG_HOME                 config.toml and daemon.toml are in molecule/ below it (~/.config)
  MOLECULE_AGENT_NAME, MOLECULE_AGENT_DESCRIPTION, MOLECULE_AGENT_SKILLS
                                  the agent card; skills are separated by commas
  MOLECULE_ORG_ID                 organisation id, sent as X-Molecule-Org-Id
  MOLECULE_LOG                    what stderr gets: debug, info, warning (the default) or error
  MOLECULE_MCP_VERBOSE            any value: the same as MOLECULE_LOG=info
  MOLECULE_MCP_STAY               any value: with a host, stay up when the configuration or the token
                                  is wrong, and say so in every answer; `install` sets it
  MOLECULE_MCP_DISABLE_HEARTBEAT  any value: do not register or send heartbeats
  MOLECULE_MCP_DISABLE_INBOX      any value: do not fetch messages
  MOLECULE_MCP_POLL_TIMEOUT_SECS  seconds the agent is told to wait per turn (default 2; 0 to 60)
  MOLECULE_CHAT_UPLOAD_DIR        folder for received files (default: uploads in the state folder)
  MOLECULE_MCP_PERMISSION_RELAY   1: Claude Code's permission prompts are also answered by the person
                                  on the platform's page
  MOLECULE_HANDLER                set by the daemon for its handlers: hooks are silent then
  http_proxy, https_proxy, all_proxy, no_proxy
                                  as for curl, but loopback addresses are reached directly
  MOLECULE_PROXY_LOOPBACK         any value: loopback addresses go through the proxy too
  SSL_CERT_FILE, SSL_CERT_DIR, CURL_CA_BUNDLE
                                  the certificate authorities
  MOLECULE_ALLOW_CORE_DUMPS       any value: allow core dumps, which contain the token, and
                                  debuggers
  NO_COLOR                        any value: no colours
)";

constexpr std::string_view exit_codes =
    R"(  0  done; an empty inbox and a daemon or server that was asked to end are done too
  1  failed: what was asked for did not happen, doctor found a failure, or output could not be
     written
  2  wrong usage, or the configuration is missing or not valid
  3  the platform refused the token
  4  not found: no such message, peer or workspace
  5  the platform cannot be reached
  6  nothing came in the time given (inbox --wait, send --wait)
)";

constexpr std::string_view handlers =
    R"(`molecule-mcp daemon` keeps the workspaces online without an agent host and hands each message to
a handler: a command of yours, Claude Code, Codex, Gemini CLI, opencode, or a web hook. Without a
handler the messages wait in the inbox, for a host or for `molecule-mcp inbox`.

A handler of kind `command` gets the message as JSON on stdin, and what it prints is the answer:

  [handler]
  kind = "command"
  argv = ["/usr/local/bin/answer"]
  deadline_secs = 60

This is daemon.toml, beside config.toml in ~/.config/molecule. `molecule-mcp daemon --check` prints
the effective configuration; molecule-daemon.toml(5) has every key. A message that no try could
answer is set aside: `molecule-mcp inbox --failed` lists those, `molecule-mcp retry` tries them again.
)";

constexpr std::string_view hooks =
    R"(A hook tells an agent of its messages without a call of a tool. `molecule-mcp install HOST --hooks`
writes them for Claude Code, Codex and Gemini CLI:

  SessionStart                    who the agent is, and how many messages wait
  UserPromptSubmit, BeforeAgent   what is new since it was last told
  Stop, AfterAgent                messages wait: go on and answer them; once for each message
  PostToolUse, AfterTool          a message of the user that came during the turn, once; only
                                  written with --tool-hook, for turns that are long

A hook reads the state folder and no network, takes a few milliseconds, and prints nothing when
anything is wrong, or when nothing is new. Codex runs hooks only after you trusted them: it asks at
its next start. Handlers of the daemon do not get hooks (MOLECULE_HANDLER).
)";

constexpr std::array<Topic, 4> all{{
    {"environment", "Environment variables", environment},
    {"exit-codes", "Exit codes", exit_codes},
    {"handlers", "Handlers of the daemon", handlers},
    {"hooks", "Hooks of agent hosts", hooks},
}};

}  // namespace

std::span<const Topic> topics() {
  return all;
}

}  // namespace molecule::cli

#include "cli/doctor_hosts.hpp"

#include <fmt/format.h>

#include <array>

namespace molecule::cli {

namespace {

using Status = Check::Status;

struct Limit {
  std::string_view hosts;
  std::string_view limit;
  /// How to set it.
  std::string_view next;
};

constexpr std::string_view no_instructions = "the model does not see this server's instructions";
constexpr std::string_view prompt_for_turns =
    "say in the agent's own instructions (AGENTS.md, rules or system prompt): call "
    "wait_for_message at the start of every turn, and answer with reply";

/// The names of a row are separated by blanks.
constexpr std::array limits{
    Limit{"claude-code", "idle sessions are woken only if channels are on for this server",
          "start it with --dangerously-load-development-channels server:molecule"},
    Limit{"claude-code", "each tool asks for permission",
          "add \"mcp__molecule\" to permissions.allow in settings.json"},
    Limit{"claude-code", "results of more than about 25,000 tokens are cut",
          "set MAX_MCP_OUTPUT_TOKENS; molecule-mcp stays far below it by itself"},
    Limit{"codex", "a tool call ends after 60 s, and starting the server after 10 s",
          "set tool_timeout_sec = 330 and startup_timeout_sec = 20 in [mcp_servers.molecule]"},
    Limit{"codex", "without a person, tools that write are refused",
          "set default_tools_approval_mode = \"approve\" in [mcp_servers.molecule]"},
    Limit{"codex", "the server gets no variables of the shell",
          "put WORKSPACE_ID and PLATFORM_URL into [mcp_servers.molecule.env]"},
    Limit{"gemini", "loop detection stops an agent after a few equal calls in a row",
          "let it wait once per turn, with a longer timeout_secs; model.skipLoopDetection in "
          "settings.json switches the detection off"},
    Limit{"gemini", "without a person, tools of a server that is not trusted are not offered",
          "set \"trust\": true in mcpServers.molecule of settings.json"},
    Limit{"gemini", "a tool call ends after mcpServers.molecule.timeout (milliseconds)",
          "set \"timeout\": 330000"},
    Limit{"opencode", "a tool call ends after mcp.molecule.timeout (milliseconds)",
          "set \"timeout\": 330000 in opencode.json"},
    Limit{"cursor", "each tool asks for permission",
          "allow the server's tools in its settings (MCP)"},
    Limit{"vscode", "each tool asks for permission, and chat runs only while a person writes",
          "allow the server's tools when asked; the server stands in .vscode/mcp.json"},
    Limit{"cline", "a tool call ends after 60 s",
          "set \"timeout\": 330 (seconds) for the server in cline_mcp_settings.json"},
    Limit{"cline", "a few equal calls in a row count as a mistake and stop the task",
          "let it wait once per turn, with a longer timeout_secs"},
    Limit{"openclaw", "a tool call ends after 60 s by default",
          "raise the server's timeout in its settings, or wait with timeout_secs of at most 50"},
    Limit{"qwen", "a tool call ends after mcpServers.molecule.timeout (milliseconds)",
          "set \"timeout\": 330000 in settings.json; older versions end it after 60 s"},
    Limit{"qwen", "without a person, tools of a server that is not trusted are refused",
          "set \"trust\": true in mcpServers.molecule of settings.json"},
    Limit{"copilot", "a tool call ends after 60 s in some versions, whatever is set",
          "wait with timeout_secs of at most 50; a longer \"timeout\" (milliseconds) of the server "
          "in ~/.copilot/mcp-config.json works in newer ones"},
    Limit{"continue", "a tool call ends after 60 s",
          "wait with timeout_secs of at most 50; newer versions take the server's "
          "connectionTimeout"},
    Limit{"openai-agents", "a tool call ends after 5 s",
          "set client_session_timeout_seconds=330 of MCPServerStdio"},
    Limit{"google-adk", "a tool call ends after 5 s", "set timeout=330 of StdioConnectionParams"},
    Limit{"agno", "a tool call ends after 10 s", "set timeout_seconds=330 of MCPTools"},
    Limit{"pydantic-ai", "a tool call ends after the toolset's read_timeout",
          "set read_timeout=330 of MCPToolset"},
    Limit{"fastmcp", "a tool call ends after the client's timeout, if one is set",
          "set timeout=330 of Client"},
    Limit{"langchain", "each tool call may start a server of its own",
          "keep one session: async with client.session(\"molecule\")"},
    Limit{"copilot qwen continue cline openclaw openai-agents google-adk agno pydantic-ai fastmcp "
          "langchain",
          no_instructions, prompt_for_turns},
};

/// In the order of the documents.
constexpr std::array<std::string_view, 17> names{
    "claude-code", "codex",    "gemini",      "opencode", "cursor",   "vscode",
    "cline",       "openclaw", "qwen",        "copilot",  "continue", "openai-agents",
    "google-adk",  "agno",     "pydantic-ai", "fastmcp",  "langchain"};

bool concerns(const Limit& limit, std::string_view host) {
  std::string_view rest = limit.hosts;
  while (!rest.empty()) {
    const std::size_t end = rest.find(' ');
    if (rest.substr(0, end) == host) return true;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return false;
}

}  // namespace

std::vector<Check> check_host(std::string_view host) {
  std::vector<Check> checks;
  for (const Limit& limit : limits) {
    if (!concerns(limit, host)) continue;
    // Nothing here is wrong: no next step in the sense of `Check`.
    checks.push_back(
        {Status::ok, std::string(host), fmt::format("{}: {}", limit.limit, limit.next), {}});
  }
  return checks;
}

std::string known_hosts() {
  std::string all;
  for (const std::string_view name : names) {
    if (!all.empty()) all += ", ";
    all += name;
  }
  return all;
}

}  // namespace molecule::cli

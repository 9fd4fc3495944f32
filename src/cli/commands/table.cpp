// The one table of commands.

#include <array>

#include "cli/commands/command.hpp"
#include "cli/commands/common_arguments.hpp"
#include "cli/commands/completion.hpp"
#include "cli/commands/daemon_arguments.hpp"
#include "cli/commands/help.hpp"
#include "cli/commands/platform_arguments.hpp"
#include "cli/commands/reports.hpp"
#include "cli/hook/hook.hpp"
#include "cli/install/install.hpp"
#include "cli/messages/messages.hpp"
#include "cli/platform/platform_commands.hpp"
#include "cli/service/service.hpp"
#include "cli/setup/setup.hpp"

namespace molecule::cli {

namespace {

using namespace arguments;

constexpr Words group_messages = "Messages";
constexpr Words group_platform = "Platform";
constexpr Words group_here = "This machine";
constexpr Words group_agents = "Agents and hosts";

constexpr Option file{.names = "--file",
                      .value = "FILE",
                      .help = "Send this file with it; may be repeated",
                      .repeated = true};
constexpr Positional id{.name = "ID", .help = "The message's id, or the beginning of it"};

constexpr std::array serve_options{
    Option{.names = "--era",
           .value = "ERA",
           .help = "The protocol era to serve: auto (default; each request states its own), "
                   "initialize (2024-11-05 to 2025-11-25) or stateless (2026-07-28)"}};
constexpr std::array serve_examples{Words("molecule-mcp"),
                                    Words("molecule-mcp serve --era initialize")};

constexpr std::array inbox_options{
    Option{.names = "--wait",
           .value = "[SECS]",
           .help = "If nothing waits, wait for a message, at most this long (default 60)"},
    Option{.names = "--failed", .help = "Only the messages that a handler gave up on"}, workspace,
    json};
constexpr std::array inbox_examples{
    Words("molecule-mcp inbox"), Words("molecule-mcp inbox --wait=30 --json"),
    Words("molecule-mcp inbox --json | jq -r '.messages[].activity_id'")};
constexpr std::array show_positionals{id};
constexpr std::array show_options{workspace, json};
constexpr std::array show_examples{Words("molecule-mcp show 3f2a")};
constexpr std::array pop_positionals{
    Positional{.name = "ID", .help = "Ids of messages, or their beginnings", .repeated = true}};
constexpr std::array pop_options{
    Option{.names = "--force", .help = "Also what a session of an agent is working on"}, workspace,
    json};
constexpr std::array pop_examples{Words("molecule-mcp pop 3f2a 81c0")};

constexpr std::array retry_positionals{Positional{.name = "ID",
                                                  .help = "Ids of messages, or their beginnings",
                                                  .required = false,
                                                  .repeated = true}};
constexpr std::array retry_options{Option{.names = "--all", .help = "All that are set aside"},
                                   workspace, json};
constexpr std::array retry_examples{Words("molecule-mcp retry 3f2a"),
                                    Words("molecule-mcp retry --all")};

constexpr Option wait_answer{
    .names = "--wait",
    .value = "[SECS]",
    .help = "Wait for the answer and print it, at most this long (default 300)"};
constexpr std::array send_positionals{
    Positional{.name = "WHO", .help = "A peer's name, its id, or the beginning of either"}, text};
constexpr std::array send_options{
    Option{.names = "--file",
           .value = "FILE",
           .help = "Add the content of this text file to the message; may be repeated",
           .repeated = true},
    wait_answer, workspace, json};
constexpr std::array send_examples{
    Words("molecule-mcp send researcher 'Which ports does the service use?'"),
    Words("git diff | molecule-mcp send reviewer - --wait"),
    Words("molecule-mcp send 7c1e --file notes.txt 'Please check these notes'")};
constexpr std::array reply_positionals{id, text};
constexpr std::array reply_options{file, workspace, json};
constexpr std::array reply_examples{Words("molecule-mcp reply 3f2a 'Done, see the branch'"),
                                    Words("make test 2>&1 | tail | molecule-mcp reply 3f2a -")};
constexpr std::array user_positionals{text};
constexpr std::array user_options{file, workspace, json};
constexpr std::array user_examples{Words("molecule-mcp user 'The nightly build is green'"),
                                   Words("molecule-mcp user --file report.pdf 'The report'")};

constexpr std::array report_options{json};
constexpr std::array status_examples{
    Words("molecule-mcp status"),
    Words("molecule-mcp status --json | jq '.workspaces[].inbox.new'")};
constexpr std::array doctor_options{
    json, Option{.names = "--host",
                 .value = "NAME",
                 .help = "Also this agent host's limits, and how to set them"}};
constexpr std::array doctor_examples{
    Words("molecule-mcp doctor"), Words("molecule-mcp doctor --host gemini"),
    Words("molecule-mcp doctor --json | jq '.checks[] | select(.status != \"OK\")'")};
constexpr std::array logs_options{
    Option{.names = "-f,--follow", .help = "Go on printing what is added"},
    Option{.names = "-n,--lines", .value = "N", .help = "How many lines (default 100)"},
    Option{.names = "--json", .help = "Print each as a line of JSON (systemd only)"}};
constexpr std::array logs_examples{Words("molecule-mcp logs -f")};

constexpr std::array setup_options{
    Option{.names = "--url", .value = "URL", .help = "The platform's address"},
    Option{.names = "--id", .value = "ID", .help = "The workspace's id"},
    Option{.names = "-w,--workspace", .value = "ID", .help = "The same, as other commands call it"},
    Option{.names = "--token-file",
           .value = "FILE",
           .help = "A file with the workspace's token; - reads it from stdin"},
    Option{.names = "--create",
           .value = "NAME",
           .help = "Create a workspace of this name instead of taking an existing one"},
    Option{.names = "--admin-token-file",
           .value = "FILE",
           .help = "With --create: a file with the platform's admin token; - reads stdin"},
    Option{.names = "--name", .value = "NAME", .help = "The agent's name on its card"},
    Option{.names = "--description", .value = "TEXT", .help = "The agent's description"},
    Option{.names = "--install",
           .value = "HOST",
           .help = "Install for this host afterwards; may be repeated",
           .repeated = true},
    Option{.names = "--no-check", .help = "Do not ask the platform whether it all works"},
    Option{.names = "--no-input", .help = "Ask nothing, also on a terminal"},
    json};
constexpr std::array setup_examples{
    Words("molecule-mcp setup"),
    Words("molecule-mcp setup --url http://127.0.0.1:8080 --create builder \\\n"
          "    --admin-token-file ~/.local/share/molecule-platform/admin_token"),
    Words("molecule-mcp setup --url https://your.platform --id 3f2a… --token-file token.txt")};
constexpr std::array install_positionals{
    Positional{.name = "HOST", .help = "The agent host", .choices = host_names}};
constexpr std::array install_options{
    Option{.names = "--hooks",
           .help = "Also write hooks, so that the agent hears of messages without polling "
                   "(claude-code, codex, gemini)"},
    Option{.names = "--tool-hook",
           .help = "Like --hooks, and also a hook after each tool: for long turns, in which the "
                   "user may write"},
    Option{.names = "--allow-tools",
           .help = "Also let the agent use the tools without asking each time"},
    Option{.names = "--dry-run", .help = "Change nothing, and show what would change"},
    workspace,
    json};
constexpr std::array install_examples{Words("molecule-mcp install claude-code --hooks"),
                                      Words("molecule-mcp install codex --dry-run")};
constexpr std::array uninstall_options{
    Option{.names = "--dry-run", .help = "Change nothing, and show what would change"}, workspace,
    json};
constexpr std::array uninstall_examples{Words("molecule-mcp uninstall claude-code")};

constexpr std::array service_options{json};
constexpr std::array service_install_options{
    Option{.names = "--no-start", .help = "Only write the file"},
    Option{.names = "--dry-run", .help = "Print the file and change nothing"}, json};
constexpr std::array service_install_examples{Words("molecule-mcp service install"),
                                              Words("molecule-mcp service status")};

constexpr std::array hook_positionals{
    Positional{.name = "EVENT", .help = "The host's name of the event", .choices = hook_events}};
constexpr std::array hook_options{workspace};
constexpr std::array hook_examples{
    Words("echo '{\"session_id\":\"s\",\"hook_event_name\":\"Stop\"}' | molecule-mcp hook Stop")};
constexpr std::array shells{Words("bash"), Words("zsh"), Words("fish")};
constexpr std::array completion_positionals{
    Positional{.name = "SHELL", .help = "bash, zsh or fish", .choices = shells}};
constexpr std::array completion_examples{
    Words("eval \"$(molecule-mcp completion bash)\""),
    Words("molecule-mcp completion fish > ~/.config/fish/completions/molecule-mcp.fish")};
constexpr std::array help_positionals{
    Positional{.name = "TOPIC",
               .help = "A command, or: environment, exit-codes, handlers, hooks",
               .required = false,
               .repeated = true}};
constexpr std::array help_options{
    Option{.names = "--manual", .help = "Print the source of the manual page (scdoc)"}};
constexpr std::array help_examples{Words("molecule-mcp help exit-codes"),
                                   Words("molecule-mcp help send")};

const Command table[] = {
    {"serve",
     group_agents,
     "Run an MCP server on stdin and stdout for one agent host",
     "Keeps the workspaces online meanwhile. This is what runs without a command.",
     {},
     serve_options,
     serve_examples,
     nullptr},
    {"daemon", group_agents,
     "Keep the workspaces online without a host, and hand messages to handlers",
     "Without a handler it only keeps them online and their inboxes filled. SIGHUP reads the "
     "configuration and the tokens again; SIGTERM lets running turns end. An option wins over the "
     "[handler] of its file.",
     daemon_positionals, daemon_options, daemon_examples, nullptr},
    {"inbox",
     group_messages,
     "List the messages that wait",
     "Reads the state folder and uses no network: a running molecule-mcp fetches the messages. An "
     "empty inbox is no failure.",
     {},
     inbox_options,
     inbox_examples,
     inbox},
    {"show", group_messages, "Show a message of the inbox", "", show_positionals, show_options,
     show_examples, show},
    {"pop", group_messages, "Remove messages from the inbox", "", pop_positionals, pop_options,
     pop_examples, pop},
    {"retry", group_messages, "Give messages that were set aside to the handlers again",
     "`inbox --failed` lists them. A running daemon takes them at once.", retry_positionals,
     retry_options, retry_examples, retry},
    {"send", group_messages, "Send a message to a peer", "Prints the message's id.",
     send_positionals, send_options, send_examples, send},
    {"reply", group_messages, "Answer a message of the inbox, and remove it",
     "The same answer twice is one message. Files can be sent to the user only.", reply_positionals,
     reply_options, reply_examples, reply},
    {"user", group_messages, "Write to the workspace's user", "Prints the message's id.",
     user_positionals, user_options, user_examples, user},
    {"peers",
     group_platform,
     "List the agents that can be written to",
     "",
     {},
     plain_options,
     peers_examples,
     peers},
    {"whoami",
     group_platform,
     "Show what the platform knows about this workspace",
     "",
     {},
     plain_options,
     whoami_examples,
     whoami},
    {"history", group_platform, "Show what was said with the user or a peer", "",
     history_positionals, history_options, history_examples, history},
    {"search", group_platform, "Search the workspace's messages and memories", "",
     search_positionals, search_options, search_examples, search},
    {"memory add", group_platform, "Store a memory on the platform",
     "What looks like a secret is left out of it.", memory_add_positionals, memory_options,
     memory_add_examples, memory_add},
    {"memory find", group_platform, "Search the stored memories", "", memory_find_positionals,
     memory_options, memory_find_examples, memory_find},
    {"requests", group_platform, "List the requests by and to this workspace, or show one",
     "The 50 newest of each side.", requests_positionals, requests_options, requests_examples,
     requests},
    {"requests new", group_platform, "Ask the user, or a peer, for a task or an approval",
     "Prints the request's id. The same again, while it is open, is the same request. What becomes "
     "of it comes to the inbox.",
     requests_new_positionals, requests_new_options, requests_new_examples, requests_new},
    {"requests respond", group_platform,
     "Answer a request to this workspace, or write to its thread", "", requests_respond_positionals,
     plain_options, requests_respond_examples, requests_respond},
    {"requests cancel", group_platform, "Withdraw a request of this workspace", "",
     requests_cancel_positionals, plain_options, requests_cancel_examples, requests_cancel},
    {"status",
     group_here,
     "Show each workspace's owner, last heartbeat, last poll and inbox",
     "Uses no network.",
     {},
     report_options,
     status_examples,
     status_command},
    {"doctor",
     group_here,
     "Check this machine and the platform for problems",
     "Says what to do about each, and changes nothing.",
     {},
     doctor_options,
     doctor_examples,
     doctor_command},
    {"logs",
     group_here,
     "Show what the service has logged",
     "",
     {},
     logs_options,
     logs_examples,
     logs},
    {"setup",
     group_here,
     "Go from nothing to online",
     "Asks for the platform and the token, or takes them from the options, stores the token in the "
     "state folder (mode 0600), writes config.toml, and checks that it works.",
     {},
     setup_options,
     setup_examples,
     setup},
    {"service install",
     group_here,
     "Run the daemon as a service of this user",
     "Writes a systemd user unit or a launchd agent and starts it.",
     {},
     service_install_options,
     service_install_examples,
     service_install},
    {"service uninstall",
     group_here,
     "Stop the service and remove its file",
     "",
     {},
     service_options,
     service_install_examples,
     service_uninstall},
    {"service start",
     group_here,
     "Start the service",
     "",
     {},
     service_options,
     service_install_examples,
     service_start},
    {"service stop",
     group_here,
     "Stop the service",
     "",
     {},
     service_options,
     service_install_examples,
     service_stop},
    {"service restart",
     group_here,
     "Restart the service",
     "",
     {},
     service_options,
     service_install_examples,
     service_restart},
    {"service status",
     group_here,
     "Show whether the service runs",
     "",
     {},
     service_options,
     service_install_examples,
     service_status},
    {"install", group_agents, "Add this program to an agent host's configuration",
     "The entry holds no token: that stays in the state folder. Comments stay as they are, a file "
     "that cannot be parsed is not touched, the file as it was is kept beside it once, and "
     "installing twice is the same as once.",
     install_positionals, install_options, install_examples, install},
    {"uninstall", group_agents, "Remove it from an agent host's configuration",
     "Removes only what install wrote.", install_positionals, uninstall_options, uninstall_examples,
     uninstall},
    {"hook", group_agents, "Answer a hook of an agent host",
     "What install --hooks writes. Reads the host's JSON on stdin, uses no network, and is silent "
     "when anything is wrong.",
     hook_positionals, hook_options, hook_examples, hook},
    {"completion",
     group_agents,
     "Print the completion of a shell",
     "",
     completion_positionals,
     {},
     completion_examples,
     completion},
    {"help", group_agents, "Explain a command or a topic", "", help_positionals, help_options,
     help_examples, help},
};

}  // namespace

std::span<const Command> commands() {
  return table;
}

}  // namespace molecule::cli

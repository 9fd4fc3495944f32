#pragma once

#include <array>

#include "cli/commands/common_arguments.hpp"

// What `daemon` takes: a file, and each key of its [handler] (`daemon::handler_keys`).
namespace molecule::cli::arguments {

inline constexpr std::array daemon_positionals{
    Positional{.name = "PROGRAM",
               .help = "After --: the program of a command handler, and its arguments",
               .required = false,
               .repeated = true}};
inline constexpr std::array daemon_options{
    Option{
        .names = "--config", .value = "FILE", .help = "Instead of ~/.config/molecule/daemon.toml"},
    Option{.names = "--check", .help = "Print the effective configuration and end"},
    Option{.names = "--json", .help = "With --check: print it as JSON"},
    Option{.names = "--handler",
           .value = "KIND",
           .help = "command, claude, codex, gemini, opencode, webhook or none"},
    Option{.names = "--argv",
           .value = "WORD",
           .help = "The program, then its arguments, each with an --argv of its own",
           .repeated = true},
    Option{.names = "--shell",
           .value = "[BOOL]",
           .help = "Run the first of --argv by /bin/sh -c: true or false"},
    Option{.names = "--format", .value = "FORMAT", .help = "What a command reads: json or text"},
    Option{.names = "--deadline-secs", .value = "SECS", .help = "How long a turn may take (900)"},
    Option{.names = "--retry-secs",
           .value = "SECS,…",
           .help = "The pauses before further tries (60,300,1800)"},
    Option{.names = "--max-parallel", .value = "N", .help = "How many turns run side by side (2)"},
    Option{.names = "--conversation",
           .value = "WHICH",
           .help = "One for each sender, or one for each message: sender or message"},
    Option{.names = "--working-directory", .value = "DIR", .help = "Where handlers run"},
    Option{.names = "--tools",
           .value = "[BOOL]",
           .help = "Give an agent this workspace's MCP tools: true (the default) or false"},
    Option{.names = "--extra-args",
           .value = "WORD",
           .help = "A further argument of an agent's CLI; may be repeated",
           .repeated = true},
    Option{.names = "--on-empty",
           .value = "WHAT",
           .help = "A message without an answer: keep (and try again) or pop"},
    Option{.names = "--stop-grace-secs",
           .value = "SECS",
           .help = "How long running turns may take at the end (20)"},
    Option{.names = "--max-turns-per-hour", .value = "N", .help = "A budget; 0 is none"},
    Option{.names = "--max-cost-usd-per-day", .value = "USD", .help = "A budget; 0 is none"},
    Option{
        .names = "--url", .value = "URL", .help = "Of a webhook: https, or http on this machine"},
    Option{.names = "--secret-file",
           .value = "FILE",
           .help = "The webhook's secret, which signs each request"},
    Option{.names = "--restricted",
           .value = "WHOM",
           .help = "Whose messages an agent reads without shell and files: peers, all or nobody"}};
inline constexpr std::array daemon_examples{
    Words("molecule-mcp daemon --handler command -- /home/ann/answer.sh"),
    Words("molecule-mcp daemon --handler claude --working-directory ~/project"),
    Words("molecule-mcp daemon --check")};

}  // namespace molecule::cli::arguments

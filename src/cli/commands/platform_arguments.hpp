#pragma once

#include <array>

#include "cli/commands/common_arguments.hpp"

// What the rows of the table take that ask the platform (`cli/platform`).
namespace molecule::cli::arguments {

inline constexpr std::array plain_options{workspace, json};
inline constexpr std::array peers_examples{
    Words("molecule-mcp peers"), Words("molecule-mcp peers --json | jq -r '.peers[].name'")};
inline constexpr std::array whoami_examples{Words("molecule-mcp whoami")};
inline constexpr std::array history_positionals{
    Positional{.name = "WHO",
               .help = "A peer's name, id or the beginning of either; default: the user",
               .required = false}};
inline constexpr std::array history_options{
    Option{.names = "-n,--limit", .value = "N", .help = "How many (default 20, at most 500)"},
    workspace, json};
inline constexpr std::array history_examples{Words("molecule-mcp history"),
                                             Words("molecule-mcp history researcher -n 50")};
inline constexpr std::array search_positionals{
    Positional{.name = "WORDS", .help = "What to look for", .repeated = true}};
inline constexpr std::array search_options{
    Option{.names = "-n,--limit", .value = "N", .help = "How many (default 50, at most 200)"},
    workspace, json};
inline constexpr std::array search_examples{Words("molecule-mcp search release notes")};
inline constexpr Option scope{
    .names = "--scope", .value = "SCOPE", .help = "LOCAL, TEAM or GLOBAL (any case)"};
inline constexpr std::array memory_add_positionals{text};
inline constexpr std::array memory_options{scope, workspace, json};
inline constexpr std::array memory_add_examples{
    Words("molecule-mcp memory add 'Deploys happen on Tuesdays' --scope team")};
inline constexpr std::array memory_find_positionals{
    Positional{.name = "WORDS",
               .help = "What to look for; nothing: the newest",
               .required = false,
               .repeated = true}};
inline constexpr std::array memory_find_examples{Words("molecule-mcp memory find deploys")};

inline constexpr Positional request_id{.name = "ID",
                                       .help = "The request's id, or the beginning of it"};
inline constexpr std::array requests_positionals{
    Positional{.name = "ID",
               .help = "Show this request with its thread: its id, or the beginning of it",
               .required = false}};
inline constexpr std::array requests_options{
    Option{.names = "--status",
           .value = "STATUS",
           .help = "Only these: pending, info_requested, done, approved, rejected or cancelled"},
    workspace, json};
inline constexpr std::array requests_examples{Words("molecule-mcp requests --status pending"),
                                              Words("molecule-mcp requests 5d0e")};
inline constexpr std::array request_kinds{Words("task"), Words("approval")};
inline constexpr std::array requests_new_positionals{
    Positional{.name = "KIND", .help = "What is asked for", .choices = request_kinds},
    Positional{.name = "TITLE", .help = "One line, at most 500 bytes"}};
inline constexpr std::array requests_new_options{
    Option{.names = "--detail", .value = "TEXT", .help = "More about it; - reads it from stdin"},
    Option{.names = "--to",
           .value = "WHO",
           .help = "A peer, as send takes it; default: the user. An approval is the user's only"},
    Option{.names = "--priority", .value = "P", .help = "From -100 to 100 (default 0)"}, workspace,
    json};
inline constexpr std::array requests_new_examples{
    Words("molecule-mcp requests new approval 'Delete the old branch?'"),
    Words("git diff | molecule-mcp requests new task 'Review this' --to reviewer --detail -")};
inline constexpr std::array requests_respond_positionals{
    request_id,
    Positional{.name = "ANSWER",
               .help = "done or rejected, which ends it; or a message, - from stdin",
               .required = false},
    Positional{
        .name = "TEXT", .help = "After done or rejected: a word about it", .required = false}};
inline constexpr std::array requests_respond_examples{
    Words("molecule-mcp requests respond 5d0e 'Which branch?'"),
    Words("molecule-mcp requests respond 5d0e done 'Merged'"),
    Words("make test 2>&1 | tail | molecule-mcp requests respond 5d0e -")};
inline constexpr std::array requests_cancel_positionals{request_id};
inline constexpr std::array requests_cancel_examples{Words("molecule-mcp requests cancel 5d0e")};

}  // namespace molecule::cli::arguments

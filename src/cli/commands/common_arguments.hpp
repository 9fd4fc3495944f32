#pragma once

#include <string_view>

#include "cli/commands/command.hpp"

// What many rows of the table take.
namespace molecule::cli::arguments {

using Words = std::string_view;

inline constexpr Option json{.names = "--json", .help = "Print JSON instead of text"};
inline constexpr Option workspace{.names = "-w,--workspace",
                                  .value = "ID",
                                  .help =
                                      "The workspace that acts, by its id, the beginning of it, or "
                                      "its name; needed if several are configured"};
inline constexpr Positional text{
    .name = "TEXT", .help = "The text; - or nothing reads it from stdin", .required = false};

}  // namespace molecule::cli::arguments

#pragma once

#include <array>
#include <string>
#include <string_view>

#include "cli/commands/command.hpp"
#include "workspace/config/config.hpp"

namespace molecule::cli {

/// The events that a hook answers, as the hosts name them.
inline constexpr std::array<std::string_view, 7> hook_events{
    "SessionStart", "UserPromptSubmit", "BeforeAgent", "Stop",
    "AfterAgent",   "PostToolUse",      "AfterTool"};

/// What a hook prints for this event; `input` is the host's JSON. Empty if there is nothing to say,
/// or anything is wrong. `workspace_id` may be empty: then the configuration must name one.
std::string answer_hook(const workspace::Environment& environment, std::string_view event,
                        std::string_view workspace_id, std::string_view input);

/// `molecule-mcp hook EVENT`: always 0, and silent when anything is wrong.
int hook(const Arguments& arguments);

}  // namespace molecule::cli

#pragma once

#include <string>
#include <string_view>

#include "daemon/config/settings.hpp"
#include "workspace/store/handler_turns.hpp"

namespace molecule::daemon {

/// The name of the person in conversations.
inline constexpr std::string_view the_person = "user";

/// The conversation that a message belongs to: its sender's, or one of its own. The answer to a
/// task belongs to where the task was delegated.
std::string conversation_of(const workspace::HandlerTurns::Candidate& candidate,
                            const HandlerSettings& settings);

/// With whom the conversation is: the person (empty) or a peer's id.
std::string partner_of(std::string_view conversation);

}  // namespace molecule::daemon

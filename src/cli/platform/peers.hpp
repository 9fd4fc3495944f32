#pragma once

#include <string>
#include <variant>
#include <vector>

#include "cli/session/session.hpp"

namespace molecule::cli {

/// The peer that `who` names: its id, its name, or the beginning of either if that is clear. An id
/// of no peer in the list is taken as it is: the platform decides. Otherwise the exit code, after
/// saying why.
awaitable<std::variant<platform::Peer, int>> find_peer(Session& session, std::string who);

}  // namespace molecule::cli

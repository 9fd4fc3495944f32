#pragma once

#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include "cli/commands/command.hpp"
#include "cli/session/session.hpp"

namespace molecule::cli {

using Arrivals = std::vector<workspace::Workspaces::Arrival>;

/// Leaves out workspaces without an inbox, so that a look makes none.
void keep_existing_inboxes(workspace::Config& config);

/// The waiting messages, oldest first.
awaitable<Arrivals> waiting_messages(Session& session);

/// The waiting message whose id begins with `id`, or the exit code after saying why there is none.
awaitable<std::variant<workspace::Workspaces::Arrival, int>> find_waiting(Session& session,
                                                                          std::string id);

/// Reads a number of seconds; what is no such number has been said, and is a negative one.
std::chrono::seconds read_seconds(const Arguments& arguments, std::string_view option);

/// The exit code of `command`; a store error is said, with `what` failed.
awaitable<int> guarded(std::string what, awaitable<int> command);

/// Prints the ids, a line each, or as JSON the list `name`. Returns the exit code.
int finish_with_ids(std::string_view name, const std::vector<std::string>& ids, bool json);

/// Prints what no handler could answer. Returns the exit code.
int failed_messages(workspace::Config config, bool json);

/// Who wrote it, for people.
std::string sender_of(const workspace::Message& message);

}  // namespace molecule::cli

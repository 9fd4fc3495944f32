#pragma once

#include <string>
#include <vector>

#include "molecule/base/clock.hpp"
#include "molecule/base/tasks.hpp"
#include "molecule/mcp/tool.hpp"
#include "molecule/workspace/config.hpp"
#include "molecule/workspace/seats.hpp"

namespace molecule::tools {

/// What the handlers work with; everything outlives the session.
struct Services {
  Clock& clock;
  const workspace::Config& config;
  /// Each with its platform client, inbox and workload.
  workspace::Seats& seats;
  /// Owns what runs beside a call: its progress notifications, and the activity reports, which
  /// neither delay nor fail an answer and may end after it. Cancelled and joined at the end.
  TaskGroup& tasks;
};

/// The eleven tools of molecule-mcp.md 6, in their fixed order.
std::vector<mcp::Tool> make_tools(Services& services);

/// What the agent is told at `initialize` (molecule-mcp.md 7).
std::string make_instructions(const workspace::Config& config);

}  // namespace molecule::tools

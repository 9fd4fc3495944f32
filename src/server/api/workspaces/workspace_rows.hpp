#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/api/context.hpp"

namespace molecule::server {

/// One row of `workspaces`, the columns that more than one subject needs.
struct WorkspaceRow {
  std::string id;
  std::string name;
  std::optional<std::string> role;
  std::string status;
  std::optional<std::string> parent_id;
  std::string runtime;
  std::string delivery_mode;
  std::optional<std::string> url;
  std::int64_t active_tasks = 0;
  std::string current_task;
  std::int64_t monthly_spend = 0;
  std::optional<std::int64_t> budget_limit;
};

/// Removed ones too; nothing for an unknown or malformed id.
std::optional<WorkspaceRow> find_workspace(Context& context, std::string_view id);

/// platform-api.md 1.7: the same workspace, siblings, roots among each other, ancestor and
/// descendant at any depth (32 steps). False for unknown ids.
bool can_communicate(Context& context, std::string_view caller, std::string_view target);

}  // namespace molecule::server

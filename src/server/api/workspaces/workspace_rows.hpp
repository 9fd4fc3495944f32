#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "server/api/context.hpp"

namespace molecule::server {

/// One row of `workspaces`: the columns that more than one subject needs.
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
  /// Some period has a limit.
  bool has_budget = false;
  bool broadcast_enabled = false;
  bool talk_to_user_enabled = true;
  bool can_delegate = true;
  std::int64_t generation = 1;
};

/// True for a workspace whose agent runs elsewhere (platform-api.md 10.5).
inline bool is_external_runtime(std::string_view runtime) {
  return runtime == "external" || runtime == "kimi" || runtime == "kimi-cli";
}

/// Two workspaces, read at once.
struct WorkspacePair {
  std::optional<WorkspaceRow> first;
  std::optional<WorkspaceRow> second;
};

/// Includes removed workspaces. Empty for an unknown or malformed id.
awaitable<std::optional<WorkspaceRow>> find_workspace(Context& context, std::string_view id);
awaitable<WorkspacePair> find_workspaces(Context& context, std::string_view first,
                                         std::string_view second);

}  // namespace molecule::server

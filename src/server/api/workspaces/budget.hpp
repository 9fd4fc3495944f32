#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/async/asio.hpp"
#include "server/api/context.hpp"
#include "server/api/workspaces/workspace_rows.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

/// What a workspace may spend and has spent in one kind of period, in cents (platform-api.md 2.9).
struct BudgetPeriod {
  std::string_view name;
  std::optional<std::int64_t> limit;
  std::int64_t spend = 0;

  bool exceeded() const { return limit && spend >= *limit; }
};

/// The last hour, day and week, and the month as the runtime counts it.
using BudgetPeriods = std::array<BudgetPeriod, 4>;

awaitable<BudgetPeriods> budget_periods(Context& context, const WorkspaceRow& workspace);

/// Records that a runtime reports `spend` cents for the month after `before`.
awaitable<void> record_spend(Context& context, std::string_view workspace_id, std::int64_t before,
                             std::int64_t spend);

/// The 402 to a message for a workspace that has used up a period's budget.
awaitable<std::optional<Reply>> budget_refusal(Context& context, const WorkspaceRow& workspace);

}  // namespace molecule::server

#include "server/api/workspaces/workspace_rows.hpp"

#include "base/text/text.hpp"

namespace molecule::server {

awaitable<std::optional<WorkspaceRow>> find_workspace(Context& context, std::string_view id) {
  store::Rows row = co_await context.store.query(
      "SELECT id, name, role, status, parent_id, runtime, delivery_mode, url, active_tasks,"
      " current_task, monthly_spend, budget_limit, broadcast_enabled, talk_to_user_enabled,"
      " can_delegate, coalesce(budget_limit, budget_hourly, budget_daily, budget_weekly) IS NOT "
      "NULL,"
      " generation FROM workspaces WHERE id = $1",
      text::lower(id));
  if (!row.next()) co_return std::nullopt;
  WorkspaceRow found{.id = row.string(0),
                     .name = row.string(1),
                     .role = row.optional_string(2),
                     .status = row.string(3),
                     .parent_id = row.optional_string(4),
                     .runtime = row.string(5),
                     .delivery_mode = row.string(6),
                     .url = row.optional_string(7),
                     .active_tasks = row.integer(8),
                     .current_task = row.string(9),
                     .monthly_spend = row.integer(10),
                     .budget_limit = row.optional_integer(11),
                     .has_budget = row.boolean(15),
                     .broadcast_enabled = row.boolean(12),
                     .talk_to_user_enabled = row.boolean(13),
                     .can_delegate = row.boolean(14),
                     .generation = row.integer(16)};
  co_return found;
}

}  // namespace molecule::server

#include "server/api/workspaces/workspace_rows.hpp"

#include "base/text/text.hpp"

namespace molecule::server {

namespace {

constexpr std::string_view columns =
    "SELECT id, name, role, status, parent_id, runtime, delivery_mode, url, active_tasks,"
    " current_task, monthly_spend, budget_limit, broadcast_enabled, talk_to_user_enabled,"
    " can_delegate, coalesce(budget_limit, budget_hourly, budget_daily, budget_weekly) IS NOT NULL,"
    " generation FROM workspaces WHERE id ";

WorkspaceRow read(const store::Rows& row) {
  return {.id = row.string(0),
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
}

}  // namespace

awaitable<std::optional<WorkspaceRow>> find_workspace(Context& context, std::string_view id) {
  static const std::string sql = std::string(columns) + "= $1";
  store::Rows row = co_await context.store.query(sql, text::lower(id));
  if (!row.next()) co_return std::nullopt;
  co_return read(row);
}

awaitable<WorkspacePair> find_workspaces(Context& context, std::string_view first,
                                         std::string_view second) {
  static const std::string sql = std::string(columns) + "IN ($1, $2)";
  const std::string first_id = text::lower(first);
  const std::string second_id = text::lower(second);
  store::Rows row = co_await context.store.query(sql, first_id, second_id);
  WorkspacePair pair;
  while (row.next()) {
    WorkspaceRow found = read(row);
    if (found.id == second_id) pair.second = found;
    if (found.id == first_id) pair.first = std::move(found);
  }
  co_return pair;
}

}  // namespace molecule::server

#include "server/api/workspaces/workspace_rows.hpp"

#include "base/text/text.hpp"

namespace molecule::server {

namespace {

constexpr int most_steps = 32;

/// What the rules of access look at.
struct Place {
  std::string id;
  std::optional<std::string> parent_id;
};

std::optional<Place> find_place(Context& context, const std::string& id) {
  auto row = context.database.prepare("SELECT parent_id FROM workspaces WHERE id = ?1");
  row.bind(id);
  if (!row.step()) return std::nullopt;
  return Place{.id = id, .parent_id = row.optional_string(0)};
}

bool is_ancestor(Context& context, const std::string& ancestor, const Place& from) {
  std::optional<Place> place = from;
  for (int step = 0; step < most_steps && place && place->parent_id; ++step) {
    if (*place->parent_id == ancestor) return true;
    place = find_place(context, *place->parent_id);
  }
  return false;
}

}  // namespace

std::optional<WorkspaceRow> find_workspace(Context& context, std::string_view id) {
  auto row = context.database.prepare(
      "SELECT id, name, role, status, parent_id, runtime, delivery_mode, url, active_tasks,"
      " current_task, monthly_spend, budget_limit FROM workspaces WHERE id = ?1");
  row.bind(text::lower(id));
  if (!row.step()) return std::nullopt;
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
                     .budget_limit = std::nullopt};
  if (!row.is_null(11)) found.budget_limit = row.integer(11);
  return found;
}

bool can_communicate(Context& context, std::string_view caller, std::string_view target) {
  const std::string from_id = text::lower(caller);
  const std::string to_id = text::lower(target);
  const std::optional<Place> from = find_place(context, from_id);
  const std::optional<Place> to = find_place(context, to_id);
  if (!from || !to) return false;
  if (from_id == to_id || from->parent_id == to->parent_id) return true;
  return is_ancestor(context, from_id, *to) || is_ancestor(context, to_id, *from);
}

}  // namespace molecule::server

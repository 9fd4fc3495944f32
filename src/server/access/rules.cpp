#include "server/access/rules.hpp"

#include <optional>

#include "base/text/text.hpp"

namespace molecule::server {

namespace {

constexpr int max_steps = 32;

/// The parents of two workspaces that exist.
struct Parents {
  std::optional<std::string> of_caller;
  std::optional<std::string> of_target;
};

awaitable<std::optional<Parents>> find_parents(store::Session& store, std::string_view caller,
                                               std::string_view target) {
  store::Rows row = co_await store.query(
      "SELECT c.parent_id, t.parent_id FROM workspaces c CROSS JOIN workspaces t"
      " WHERE c.id = $1 AND t.id = $2",
      caller, target);
  if (!row.next()) co_return std::nullopt;
  Parents parents{.of_caller = row.optional_string(0), .of_target = row.optional_string(1)};
  co_return parents;
}

awaitable<bool> is_ancestor(store::Session& store, std::string_view ancestor,
                            std::optional<std::string_view> first_parent) {
  std::optional<std::string> parent_id(first_parent);
  for (int step = 0; step < max_steps && parent_id; ++step) {
    if (*parent_id == ancestor) co_return true;
    store::Rows row =
        co_await store.query("SELECT parent_id FROM workspaces WHERE id = $1", *parent_id);
    parent_id = row.next() ? row.optional_string(0) : std::nullopt;
  }
  co_return false;
}

}  // namespace

awaitable<bool> can_communicate(store::Session& store, std::string_view caller,
                                std::string_view target) {
  const std::string from = text::lower(caller);
  const std::string to = text::lower(target);
  const std::optional<Parents> parents = co_await find_parents(store, from, to);
  if (!parents) co_return false;
  const TreePlace own{.id = from, .parent_id = parents->of_caller};
  const TreePlace other{.id = to, .parent_id = parents->of_target};
  co_return co_await can_communicate(store, own, other);
}

awaitable<bool> can_communicate(store::Session& store, TreePlace caller, TreePlace target) {
  if (caller.id == target.id || caller.parent_id == target.parent_id) co_return true;
  const bool above = co_await is_ancestor(store, caller.id, target.parent_id);
  if (above) co_return true;
  co_return co_await is_ancestor(store, target.id, caller.parent_id);
}

awaitable<Visibility> event_visibility(store::Session& store, Caller listener,
                                       std::string workspace_id) {
  if (listener.is_admin()) {
    if (listener.session_id.empty() && listener.token_id.empty()) co_return Visibility::visible;
    const bool session = !listener.session_id.empty();
    const std::string_view sql =
        session ? "SELECT 1 FROM sessions WHERE id = $1"
                : "SELECT 1 FROM org_tokens WHERE id = $1 AND revoked_at IS NULL";
    const std::string& id = session ? listener.session_id : listener.token_id;
    store::Rows live = co_await store.query(sql, id);
    co_return live.next() ? Visibility::visible : Visibility::revoked;
  }
  store::Rows token = co_await store.query(
      "SELECT 1 FROM workspace_tokens t JOIN workspaces w ON w.id = t.workspace_id"
      " WHERE t.id = $1 AND t.revoked_at IS NULL AND w.status != 'removed'",
      listener.token_id);
  if (!token.next()) co_return Visibility::revoked;
  const bool may = co_await can_communicate(store, listener.workspace_id, workspace_id);
  co_return may ? Visibility::visible : Visibility::hidden;
}

}  // namespace molecule::server

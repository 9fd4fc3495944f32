#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/store/database.hpp"

namespace molecule::server::store {

// What the engines' own statements have in common.

/// The memories that a search may read, under the name `m`. Its parameters: $1 scope, "" for all
/// own memories; $2 the reader; $3 the root of its team; $4 namespace or NULL; $5 limit. Members of
/// a team may always communicate (platform-api.md 1.7), so no further check is needed.
inline constexpr std::string_view readable_memories =
    "SELECT m.id, m.workspace_id, m.content, m.scope, m.namespace, m.created_at FROM memories m";
inline constexpr std::string_view readable_condition =
    " ($1 = '' OR m.scope = $1) AND ($4 IS NULL OR m.namespace = $4)"
    " AND m.workspace_id IN (SELECT id FROM workspaces WHERE CASE $1 WHEN 'GLOBAL' THEN TRUE"
    " WHEN 'TEAM' THEN status != 'removed' AND (id = $3 OR parent_id = $3) ELSE id = $2 END)";

/// A search for memories under construction: the text, and the values of the parameters that follow
/// the fixed ones.
struct MemoryQuery {
  std::string conditions;
  std::vector<std::string> values;

  /// Adds a value; returns its parameter.
  std::string parameter(std::string value);
  /// Views of all values in their order. `search` and this must outlive them.
  std::vector<Value> all_values(const MemorySearch& search) const;
};

/// The statement of `Session::search_everything`, with $1 the workspace, $2 the pattern and $3 the
/// row before which to begin, or NULL.
/// `matches` is how the engine compares the column `{}` with $2, such as "{} ILIKE $2".
std::string everything_query(std::string_view matches);

/// The statement of `Session::list_delegations`, with $1 the workspace. `delegation_id` and `text`
/// are how the engine reads these members of `response_body`, which may be no JSON.
std::string delegations_query(std::string_view delegation_id, std::string_view text);

}  // namespace molecule::server::store

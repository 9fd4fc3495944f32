// The statements whose SQL is specific to SQLite.

#include <optional>
#include <string>

#include "server/store/search_words.hpp"
#include "server/store/sqlite_session.hpp"

namespace molecule::server::store {

namespace {

// $1 scope, "" for all own memories; $2 the reader; $3 the root of its team; $4 namespace or NULL;
// $5 the search expression; $6 limit. Members of a team may always communicate
// (platform-api.md 1.7), so no further check is needed.
std::string build_search(std::string_view tables, std::string_view matches,
                         std::string_view order) {
  std::string sql =
      "SELECT m.id, m.workspace_id, m.content, m.scope, m.namespace, m.created_at FROM ";
  sql.append(tables).append(" WHERE ").append(matches);
  sql +=
      " AND ($1 = '' OR m.scope = $1) AND ($4 IS NULL OR m.namespace = $4)"
      " AND m.workspace_id IN (SELECT id FROM workspaces WHERE CASE $1 WHEN 'GLOBAL' THEN 1"
      " WHEN 'TEAM' THEN status != 'removed' AND (id = $3 OR parent_id = $3) ELSE id = $2 END)";
  return sql.append(" ORDER BY ").append(order).append(" LIMIT $6");
}

std::string_view words_search() {
  static const std::string sql = build_search("memories_text t JOIN memories m ON m.seq = t.rowid",
                                              "memories_text MATCH $5", "t.rank, m.seq DESC");
  return sql;
}

/// The newest, with $5 as a LIKE pattern, or NULL for any.
std::string_view newest_search() {
  static const std::string sql =
      build_search("memories m", "($5 IS NULL OR m.content LIKE $5 ESCAPE '\\')", "m.seq DESC");
  return sql;
}

}  // namespace

RowStream SqliteSession::search_memories(const MemorySearch& search) {
  const bool by_words = search.query.size() > 1;
  std::optional<std::string> searched;
  if (by_words) searched = search_expression(search.query);
  if (search.query.size() == 1) searched = like_anywhere(search.query);
  // An empty expression matches nothing; to FTS5 it would be a syntax error.
  if (by_words && searched->empty()) return stream("SELECT 1 WHERE 1 = 0");
  return stream(by_words ? words_search() : newest_search(), search.scope, search.reader,
                search.team, search.name_space, searched, search.limit);
}

RowStream SqliteSession::search_everything(std::string_view workspace_id, std::string_view text) {
  return stream(
      "SELECT f.kind, f.id, f.workspace_id, f.label, f.content, f.request_body, f.response_body,"
      " f.method, f.status, f.created_at, w.name FROM ("
      "SELECT 'activity' AS kind, id, workspace_id, coalesce(summary, '') AS label, '' AS content,"
      " request_body, response_body, method, status, created_at FROM"
      " (SELECT * FROM activity WHERE ($1 = '' OR workspace_id = $1) ORDER BY seq DESC LIMIT 20000)"
      " WHERE coalesce(method, '') NOT IN ('chat_upload_receive', 'delegate_result')"
      " AND (request_body LIKE $2 ESCAPE '\\' OR response_body LIKE $2 ESCAPE '\\'"
      " OR summary LIKE $2 ESCAPE '\\')"
      " UNION ALL SELECT 'memory', id, workspace_id, scope, content, NULL, NULL, NULL, NULL,"
      " created_at FROM"
      " (SELECT * FROM memories WHERE ($1 = '' OR workspace_id = $1) ORDER BY seq DESC LIMIT 20000)"
      " WHERE content LIKE $2 ESCAPE '\\'"
      ") f JOIN workspaces w ON w.id = f.workspace_id AND w.status != 'removed'"
      " ORDER BY f.created_at DESC LIMIT 1000",
      workspace_id, like_anywhere(text));
}

awaitable<Rows> SqliteSession::list_delegations(std::string_view workspace_id) {
  // One character more than is shown, so that the caller can tell whether something was cut.
  return query(
      "SELECT id, activity_type, source_id, target_id, summary, status, created_at,"
      " coalesce(message_id, json_extract(response_body, '$.delegation_id')), error_detail,"
      " substr(coalesce(json_extract(response_body, '$.text'), response_body), 1, 301)"
      " FROM activity WHERE seq IN (SELECT seq FROM (SELECT seq FROM activity"
      " WHERE workspace_id = $1 AND activity_type = 'delegation' ORDER BY seq DESC LIMIT 50)"
      " UNION SELECT seq FROM (SELECT seq FROM activity WHERE target_id = $1"
      " AND activity_type = 'delegation' AND method = 'delegate' ORDER BY seq DESC LIMIT 50))"
      " ORDER BY seq DESC LIMIT 50",
      workspace_id);
}

}  // namespace molecule::server::store

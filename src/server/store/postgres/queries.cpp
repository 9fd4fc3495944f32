// The statements whose SQL is specific to PostgreSQL.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/store/postgres/session.hpp"
#include "server/store/search_words.hpp"

namespace molecule::server::store::postgres {

namespace {

// The first parameters of every search: $1 scope, "" for all own memories; $2 the reader; $3 the
// root of its team; $4 namespace or NULL; $5 limit. Members of a team may always communicate
// (platform-api.md 1.7), so no further check is needed.
constexpr int fixed_parameters = 5;

constexpr std::string_view readable =
    " ($1 = '' OR m.scope = $1) AND ($4 IS NULL OR m.namespace = $4)"
    " AND m.workspace_id IN (SELECT id FROM workspaces WHERE CASE $1 WHEN 'GLOBAL' THEN TRUE"
    " WHEN 'TEAM' THEN status != 'removed' AND (id = $3 OR parent_id = $3) ELSE id = $2 END)";

constexpr std::string_view columns =
    "SELECT m.id, m.workspace_id, m.content, m.scope, m.namespace, m.created_at FROM memories m";

/// A search under construction: the text, and the values of the parameters after the fixed ones.
struct Query {
  std::string conditions;
  std::vector<std::string> values;

  std::string parameter(std::string value) {
    values.push_back(std::move(value));
    return "$" + std::to_string(fixed_parameters + values.size());
  }
};

/// A word as a quoted part of a text search query that finds its beginnings.
std::string beginning(std::string_view word) {
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  return quoted + "':*";
}

/// A word is found by its stem, or as the beginning of a word. Returns the query of its stem.
std::string add_word(Query& query, const std::string& word) {
  const std::string stem = "plainto_tsquery('molecule_stems', " + query.parameter(word) + ")";
  query.conditions += " AND (m.stems @@ " + stem;
  query.conditions +=
      " OR m.words @@ to_tsquery('molecule_words', " + query.parameter(beginning(word)) + "))";
  return stem;
}

/// The text of the search for `terms`, of which there is at least one.
std::string build_search(const SearchTerms& terms, Query& query) {
  std::string any;
  for (const std::string& word : terms.words) {
    any.append(any.empty() ? "" : " || ").append(add_word(query, word));
  }
  for (const auto& parts : {terms.parts, terms.short_parts}) {
    for (const std::string& part : parts) {
      query.conditions += " AND m.content LIKE " + query.parameter(like_anywhere(part));
    }
  }
  std::string sql(columns);
  sql.append(" WHERE").append(readable).append(query.conditions).append(" ORDER BY ");
  // The rows that have the words themselves come first, the best of them first.
  if (!any.empty()) sql.append("ts_rank(m.stems, ").append(any).append(") DESC, ");
  return sql + "m.seq DESC LIMIT $5";
}

/// The newest, with $6 as a pattern, or NULL for any.
std::string_view newest_search() {
  static const std::string sql = std::string(columns) + " WHERE" + std::string(readable) +
                                 " AND ($6 IS NULL OR m.content ILIKE $6)"
                                 " ORDER BY m.seq DESC LIMIT $5";
  return sql;
}

}  // namespace

RowStream PostgresSession::search_memories(const MemorySearch& search) {
  if (search.query.size() <= 1) {
    std::optional<std::string> pattern;
    if (!search.query.empty()) pattern = like_anywhere(search.query);
    return stream(newest_search(), search.scope, search.reader, search.team, search.name_space,
                  search.limit, pattern);
  }
  const SearchTerms terms = search_terms(search.query);
  if (terms.size() == 0) return stream("SELECT 1 WHERE FALSE");
  Query query;
  const std::string sql = build_search(terms, query);
  std::vector<Value> values{search.scope, search.reader, search.team, search.name_space,
                            search.limit};
  values.insert(values.end(), query.values.begin(), query.values.end());
  return stream_values(sql, values);
}

RowStream PostgresSession::search_everything(std::string_view workspace_id, std::string_view text) {
  return stream(
      "SELECT f.kind, f.id, f.workspace_id, f.label, f.content, f.request_body, f.response_body,"
      " f.method, f.status, f.created_at, w.name FROM ("
      "SELECT 'activity' AS kind, id, workspace_id, coalesce(summary, '') AS label, '' AS content,"
      " request_body, response_body, method, status, created_at FROM"
      " (SELECT * FROM activity WHERE ($1 = '' OR workspace_id = $1) ORDER BY seq DESC LIMIT 20000)"
      " AS newest WHERE coalesce(method, '') NOT IN ('chat_upload_receive', 'delegate_result')"
      " AND (request_body ILIKE $2 OR response_body ILIKE $2 OR summary ILIKE $2)"
      " UNION ALL SELECT 'memory', id, workspace_id, scope, content, NULL, NULL, NULL, NULL,"
      " created_at FROM"
      " (SELECT * FROM memories WHERE ($1 = '' OR workspace_id = $1) ORDER BY seq DESC LIMIT 20000)"
      " AS newest WHERE content ILIKE $2"
      ") AS f JOIN workspaces w ON w.id = f.workspace_id AND w.status != 'removed'"
      " ORDER BY f.created_at DESC LIMIT 1000",
      workspace_id, like_anywhere(text));
}

awaitable<Rows> PostgresSession::list_delegations(std::string_view workspace_id) {
  // One character more than is shown, so that the caller can tell whether something was cut.
  return query(
      "SELECT id, activity_type, source_id, target_id, summary, status, created_at,"
      " coalesce(message_id, molecule_json_text(response_body, 'delegation_id')), error_detail,"
      " substr(coalesce(molecule_json_text(response_body, 'text'), response_body), 1, 301)"
      " FROM activity WHERE seq IN (SELECT seq FROM (SELECT seq FROM activity"
      " WHERE workspace_id = $1 AND activity_type = 'delegation' ORDER BY seq DESC LIMIT 50) AS own"
      " UNION SELECT seq FROM (SELECT seq FROM activity WHERE target_id = $1"
      " AND activity_type = 'delegation' AND method = 'delegate' ORDER BY seq DESC LIMIT 50)"
      " AS others) ORDER BY seq DESC LIMIT 50",
      workspace_id);
}

}  // namespace molecule::server::store::postgres

// The statements whose SQL is specific to PostgreSQL.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/store/common_queries.hpp"
#include "server/store/postgres/session.hpp"
#include "server/store/search_words.hpp"

namespace molecule::server::store::postgres {

namespace {

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
std::string add_word(MemoryQuery& query, const std::string& word) {
  const std::string stem = "plainto_tsquery('molecule_stems', " + query.parameter(word) + ")";
  query.conditions += " AND (m.stems @@ " + stem;
  query.conditions +=
      " OR m.words @@ to_tsquery('molecule_words', " + query.parameter(beginning(word)) + "))";
  return stem;
}

/// The text of the search for `terms`, of which there is at least one.
std::string build_search(const SearchTerms& terms, MemoryQuery& query) {
  std::string any;
  for (const std::string& word : terms.words) {
    any.append(any.empty() ? "" : " || ").append(add_word(query, word));
  }
  for (const auto& parts : {terms.parts, terms.short_parts}) {
    for (const std::string& part : parts) {
      query.conditions += " AND m.content LIKE " + query.parameter(like_anywhere(part));
    }
  }
  std::string sql(readable_memories);
  sql.append(" WHERE").append(readable_condition).append(query.conditions).append(" ORDER BY ");
  // The rows that have the words themselves come first, the best of them first.
  if (!any.empty()) sql.append("ts_rank(m.stems, ").append(any).append(") DESC, ");
  return sql + "m.seq DESC LIMIT $5";
}

/// The newest, with $6 as a pattern, or NULL for any.
std::string_view newest_search() {
  static const std::string sql = std::string(readable_memories) + " WHERE" +
                                 std::string(readable_condition) +
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
  MemoryQuery query;
  const std::string sql = build_search(terms, query);
  return stream_values(sql, query.all_values(search));
}

RowStream PostgresSession::search_window_before(std::string_view workspace_id,
                                                std::string_view text,
                                                std::optional<std::int64_t> before_seq) {
  static const std::string sql = everything_query("{} ILIKE $2");
  return stream(sql, workspace_id, like_anywhere(text), before_seq);
}

awaitable<Rows> PostgresSession::list_delegations(std::string_view workspace_id) {
  static const std::string sql =
      delegations_query("molecule_json_text(response_body, 'delegation_id')",
                        "molecule_json_text(response_body, 'text')");
  return query(sql, workspace_id);
}

}  // namespace molecule::server::store::postgres

// The statements whose SQL is specific to SQLite.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text/text.hpp"
#include "server/store/common_queries.hpp"
#include "server/store/search_words.hpp"
#include "server/store/sqlite/session.hpp"

namespace molecule::server::store {

namespace {

/// A word is found by its stem, or as the beginning of a word.
void add_word(MemoryQuery& query, const std::string& word) {
  query.conditions += " AND m.seq IN (SELECT rowid FROM memories_text WHERE memories_text MATCH ";
  query.conditions += query.parameter(fts_string(word));
  query.conditions += " UNION SELECT rowid FROM memories_words WHERE memories_words MATCH ";
  query.conditions += query.parameter(fts_string(word) + "*") + ")";
}

/// The rows that have the words themselves come first, the best of them first.
std::string ranked(MemoryQuery& query, const std::vector<std::string>& words) {
  std::string any;
  for (const std::string& word : words) {
    any.append(any.empty() ? "" : " OR ").append(fts_string(word));
  }
  return " LEFT JOIN (SELECT rowid AS found, rank AS score FROM memories_text"
         " WHERE memories_text MATCH " +
         query.parameter(any) + ") t ON t.found = m.seq";
}

/// The text of the search for `terms`, of which there is at least one.
std::string build_search(const SearchTerms& terms, MemoryQuery& query) {
  std::string sql(readable_memories);
  if (!terms.words.empty()) sql += ranked(query, terms.words);
  for (const std::string& word : terms.words) add_word(query, word);
  for (const std::string& part : terms.parts) {
    query.conditions +=
        " AND m.seq IN (SELECT rowid FROM memories_parts WHERE memories_parts MATCH " +
        query.parameter(fts_string(part)) + ")";
  }
  for (const std::string& part : terms.short_parts) {
    query.conditions +=
        " AND m.content LIKE " + query.parameter(like_anywhere(part)) + " ESCAPE '\\'";
  }
  sql.append(" WHERE").append(readable_condition).append(query.conditions);
  sql +=
      terms.words.empty() ? " ORDER BY m.seq DESC" : " ORDER BY coalesce(t.score, 0), m.seq DESC";
  return sql + " LIMIT $5";
}

/// The newest, with $6 as a LIKE pattern, or NULL for any.
std::string_view newest_search() {
  static const std::string sql =
      std::string(readable_memories) + " WHERE" + std::string(readable_condition) +
      " AND ($6 IS NULL OR m.content LIKE $6 ESCAPE '\\') ORDER BY m.seq DESC LIMIT $5";
  return sql;
}

bool contains_folded(std::string_view text, std::string_view folded) {
  return text::fold_case(text).find(folded) != std::string::npos;
}

}  // namespace

void prepare_for_sessions(molecule::sqlite::Database& database) {
  // Holds the rows and index pages that 10,000 workspaces use all the time.
  database.execute("PRAGMA cache_size=-8192");
  database.define("contains_folded", contains_folded);
}

RowStream SqliteSession::search_memories(const MemorySearch& search) {
  if (search.query.size() <= 1) {
    std::optional<std::string> pattern;
    if (!search.query.empty()) pattern = like_anywhere(search.query);
    return stream(newest_search(), search.scope, search.reader, search.team, search.name_space,
                  search.limit, pattern);
  }
  const SearchTerms terms = search_terms(search.query);
  if (terms.size() == 0) return stream("SELECT 1 WHERE 1 = 0");
  MemoryQuery query;
  const std::string sql = build_search(terms, query);
  return stream_values(sql, query.all_values(search));
}

RowStream SqliteSession::search_window_before(std::string_view workspace_id, std::string_view text,
                                              std::optional<std::int64_t> before_seq) {
  // LIKE, which is faster, knows the cases of ASCII only.
  static const std::string ascii = everything_query("{} LIKE $2 ESCAPE '\\'");
  static const std::string any = everything_query("contains_folded({}, $2)");
  const bool is_ascii = std::ranges::all_of(text, [](unsigned char c) { return c < 0x80; });
  if (is_ascii) return stream(ascii, workspace_id, like_anywhere(text), before_seq);
  return stream(any, workspace_id, text::fold_case(text), before_seq);
}

awaitable<Rows> SqliteSession::list_delegations(std::string_view workspace_id) {
  static const std::string sql = delegations_query("json_extract(response_body, '$.delegation_id')",
                                                   "json_extract(response_body, '$.text')");
  return query(sql, workspace_id);
}

}  // namespace molecule::server::store

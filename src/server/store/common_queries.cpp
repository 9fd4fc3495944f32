#include "server/store/common_queries.hpp"

#include <fmt/format.h>

#include <utility>

namespace molecule::server::store {

std::string MemoryQuery::parameter(std::string value) {
  constexpr std::size_t fixed_parameters = 5;
  values.push_back(std::move(value));
  return "$" + std::to_string(fixed_parameters + values.size());
}

std::vector<Value> MemoryQuery::all_values(const MemorySearch& search) const {
  std::vector<Value> all{search.scope, search.reader, search.team, search.name_space, search.limit};
  all.insert(all.end(), values.begin(), values.end());
  return all;
}

std::string everything_query(std::string_view matches) {
  const auto in = [&](const char* column) { return fmt::format(fmt::runtime(matches), column); };
  return fmt::format(
      "SELECT f.kind, f.id, f.workspace_id, f.label, f.content, f.request_body, f.response_body,"
      " f.method, f.status, f.created_at, w.name FROM ("
      "SELECT 'activity' AS kind, id, workspace_id, coalesce(summary, '') AS label, '' AS content,"
      " request_body, response_body, method, status, created_at FROM"
      " (SELECT * FROM activity WHERE ($1 = '' OR workspace_id = $1)"
      " AND seq < coalesce($3, 9223372036854775807)"
      " ORDER BY seq DESC LIMIT CASE WHEN $3 IS NULL THEN {window} ELSE {older} END)"
      " AS newest WHERE coalesce(method, '') NOT IN ('chat_upload_receive', 'delegate_result')"
      " AND ({request} OR {response} OR {summary})"
      " UNION ALL SELECT 'memory', id, workspace_id, scope, content, NULL, NULL, NULL, NULL,"
      " created_at FROM"
      " (SELECT * FROM memories WHERE $3 IS NULL AND ($1 = '' OR workspace_id = $1)"
      " ORDER BY seq DESC LIMIT {window}) AS newest WHERE {content}"
      ") AS f JOIN workspaces w ON w.id = f.workspace_id AND w.status != 'removed'"
      " ORDER BY f.created_at DESC LIMIT 1000",
      fmt::arg("window", Session::search_window), fmt::arg("older", Session::older_window),
      fmt::arg("request", in("request_body")), fmt::arg("response", in("response_body")),
      fmt::arg("summary", in("summary")), fmt::arg("content", in("content")));
}

std::string delegations_query(std::string_view delegation_id, std::string_view text) {
  // One character more than is shown, so that the caller can tell whether something was cut.
  return fmt::format(
      "SELECT id, activity_type, source_id, target_id, summary, status, created_at,"
      " coalesce(message_id, {}), error_detail, substr(coalesce({}, response_body), 1, 301)"
      " FROM activity WHERE seq IN (SELECT seq FROM (SELECT seq FROM activity"
      " WHERE workspace_id = $1 AND activity_type = 'delegation' ORDER BY seq DESC LIMIT 50) AS own"
      " UNION SELECT seq FROM (SELECT seq FROM activity WHERE target_id = $1"
      " AND activity_type = 'delegation' AND method = 'delegate' ORDER BY seq DESC LIMIT 50)"
      " AS others) ORDER BY seq DESC LIMIT 50",
      delegation_id, text);
}

}  // namespace molecule::server::store

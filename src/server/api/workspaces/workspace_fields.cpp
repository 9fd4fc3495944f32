#include "server/api/workspaces/workspace_fields.hpp"

#include <algorithm>

namespace molecule::server {

bool is_line(std::string_view text, std::size_t max_bytes) {
  return text.size() <= max_bytes && std::none_of(text.begin(), text.end(), [](unsigned char c) {
           return c < 0x20 && c != '\t';
         });
}

bool is_label(std::string_view text, std::size_t max_bytes) {
  return is_line(text, max_bytes) && text.find_first_of("{}[]|>*&!") == std::string_view::npos;
}

bool is_workspace_dir(std::string_view path) {
  constexpr std::size_t max_path_bytes = 4096;
  if (!path.starts_with('/') || !is_line(path, max_path_bytes)) return false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    if (path.substr(0, end) == "..") return false;
    path.remove_prefix(end);
  }
  return true;
}

awaitable<bool> may_be_parent(Context& context, std::string_view id, std::string_view child) {
  // UNION drops rows it has seen, so that even a cycle in the data would end.
  store::Rows row = co_await context.store.query(
      "WITH RECURSIVE above(id, parent_id, status) AS ("
      "  SELECT id, parent_id, status FROM workspaces WHERE id = $1"
      "  UNION SELECT w.id, w.parent_id, w.status FROM workspaces w JOIN above a"
      "    ON w.id = a.parent_id)"
      " SELECT (SELECT status FROM workspaces WHERE id = $1),"
      " EXISTS (SELECT 1 FROM above WHERE id = $2)",
      id, child);
  row.next();
  co_return !row.is_null(0) && row.text(0) != "removed" && !row.boolean(1);
}

}  // namespace molecule::server

#include "server/api/limits/refusals.hpp"

#include "base/log.hpp"
#include "base/text/text.hpp"

namespace molecule::server {

void Refusals::count(std::string_view kind, std::string_view workspace_id) {
  const auto found = counts_.find(kind);
  if (found != counts_.end()) {
    ++found->second;
  } else {
    counts_.emplace(kind, 1);
  }
  constexpr std::size_t max_logged = 10'000;
  if (logged_.size() >= max_logged) return;
  if (!logged_.emplace(kind, workspace_id).second) return;
  log::warning("limit reached ({}): requests of workspace {} are refused", kind,
               text::sanitize_name(workspace_id));
}

}  // namespace molecule::server

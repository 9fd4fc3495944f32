#include "server/api/limits/refusals.hpp"

#include "base/log.hpp"
#include "base/text/text.hpp"

namespace molecule::server {

void Refusals::add(std::string_view kind) {
  const auto found = counts_.find(kind);
  if (found != counts_.end()) {
    ++found->second;
  } else {
    counts_.emplace(kind, 1);
  }
}

void Refusals::count(std::string_view kind, std::string_view workspace_id) {
  add(kind);
  constexpr std::size_t max_logged = 10'000;
  if (logged_.size() >= max_logged) return;
  if (!logged_.emplace(kind, workspace_id).second) return;
  log::warning("limit reached ({}): requests of workspace {} are refused", kind,
               text::sanitize_name(workspace_id));
}

void Refusals::count_client(std::string_view client) {
  add("client-rate");
  // Anybody can fill these, so they are few.
  constexpr std::size_t max_logged = 100;
  if (logged_clients_.size() >= max_logged || !logged_clients_.emplace(client).second) return;
  log::warning("limit reached (client-rate): requests without a valid token from {} are refused",
               client);
}

}  // namespace molecule::server

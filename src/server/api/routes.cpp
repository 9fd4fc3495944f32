#include "server/api/routes.hpp"

namespace molecule::server {

std::vector<Route> all_routes() {
  std::vector<Route> all;
  for (const auto subject :
       {registry_routes, discovery_routes, creation_routes, workspace_routes, change_routes,
        token_routes, event_routes, a2a_routes, activity_routes, user_message_routes,
        history_routes, file_routes, delegation_routes, memory_routes, status_routes}) {
    const std::vector<Route> routes = subject();
    all.insert(all.end(), routes.begin(), routes.end());
  }
  return all;
}

}  // namespace molecule::server

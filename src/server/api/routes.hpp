#pragma once

#include <string_view>
#include <vector>

#include "server/api/context.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

using Handler = Reply (*)(Context&, const Request&);

/// `pattern` has variable segments that begin with a colon: `/workspaces/:id/activity`.
struct Route {
  std::string_view method;
  std::string_view pattern;
  Handler handler;
};

// Each subject gives its routes; the handlers do their own authentication.
std::vector<Route> registry_routes();      // 1.1 to 1.3
std::vector<Route> discovery_routes();     // 1.4 to 1.6
std::vector<Route> creation_routes();      // 2.1
std::vector<Route> workspace_routes();     // 2.2, 2.3, 2.7, 2.9
std::vector<Route> change_routes();        // 2.4, 2.5
std::vector<Route> token_routes();         // 2.8
std::vector<Route> event_routes();         // 2.10 (GET /events…)
std::vector<Route> a2a_routes();           // 3
std::vector<Route> activity_routes();      // 4.1, 4.2, activity/ack
std::vector<Route> user_message_routes();  // 4.3 notify, broadcast
std::vector<Route> history_routes();       // 4.4, chat-history
std::vector<Route> file_routes();          // 4.5, 4.6, pending-uploads
std::vector<Route> delegation_routes();    // 5
std::vector<Route> memory_routes();        // 6.1 to 6.4
std::vector<Route> status_routes();        // 0.9 (health), the page at /

/// The platform's routes: all of the above.
std::vector<Route> all_routes();

}  // namespace molecule::server

#pragma once

#include <vector>

#include "server/api/routes.hpp"

namespace molecule::server {

/// platform-api.md 6.4: a workspace's own keys and values, with versions and a time to live.
std::vector<Route> key_value_routes();

}  // namespace molecule::server

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/report.hpp"

namespace molecule::cli {

/// What `doctor --host NAME` says of an agent host or a framework: its limits that matter here, and
/// how to set them. Empty if the host is unknown.
std::vector<Check> check_host(std::string_view host);

/// The names that `check_host` knows, separated by commas.
std::string known_hosts();

}  // namespace molecule::cli

#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace molecule::cli {

/// How much of ids a table shows: at least 8 characters, and enough to tell them apart. Ids that
/// begin with the time of their making, as the platform's do, share their first characters.
std::size_t short_id_length(std::vector<std::string> ids);

}  // namespace molecule::cli

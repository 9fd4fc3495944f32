#pragma once

#include <cstdint>

namespace molecule::app {

/// Many workspaces need more open files than the usual soft limit of 1,024.
void raise_file_limit(std::uint64_t workspaces);

}  // namespace molecule::app

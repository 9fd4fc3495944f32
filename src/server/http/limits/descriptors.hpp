#pragma once

#include <cstddef>

namespace molecule::server {

/// File descriptors are shared between connections, files on their way to clients, and all else.
struct Descriptors {
  std::size_t connections = 0;
  std::size_t files = 0;
};

/// Raises the process's limit as far as it is of use, and divides what there is.
Descriptors share_descriptors();

}  // namespace molecule::server

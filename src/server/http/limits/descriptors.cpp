#include "server/http/limits/descriptors.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace molecule::server {

Descriptors share_descriptors() {
  constexpr rlim_t wanted = 4096;
  constexpr rlim_t for_others = 64;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = std::min(limit.rlim_max, wanted);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  const rlim_t all = std::min(limit.rlim_cur, wanted);
  const rlim_t available = all > 2 * for_others ? all - for_others : all / 2;
  const std::size_t files = std::max<std::size_t>(1, available / 8);
  return {.connections = available - files, .files = files};
}

}  // namespace molecule::server

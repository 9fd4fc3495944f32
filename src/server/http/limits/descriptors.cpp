#include "server/http/limits/descriptors.hpp"

#include <sys/resource.h>

#include <algorithm>

#include "base/log.hpp"

namespace molecule::server {

Descriptors share_descriptors() {
  // 10,000 agents with an event stream and a connection for requests each, and some more.
  constexpr rlim_t wanted = 32'768;
  constexpr rlim_t max_files = 512;
  constexpr rlim_t few_connections = 1024;
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
  const std::size_t files = std::clamp<std::size_t>(available / 8, 1, max_files);
  if (available - files < few_connections) {
    log::warning("the limit of open files allows no more than {} connections: raise it (ulimit -n)",
                 available - files);
  }
  return {.connections = available - files, .files = files};
}

}  // namespace molecule::server

#include "server/metrics/request_metrics.hpp"

#include <algorithm>

namespace molecule::server {

RequestMetrics::Measured::Measured(Route& route, std::chrono::steady_clock::time_point arrived,
                                   const Reply& reply)
    : route_(route), start_(arrived), reply_(reply) {
  if (start_ == std::chrono::steady_clock::time_point()) start_ = std::chrono::steady_clock::now();
}

RequestMetrics::Measured::~Measured() {
  ++route_.by_status[reply_.status];
  route_.seconds.add(std::chrono::steady_clock::now() - start_);
}

RequestMetrics::Route& RequestMetrics::add(std::string_view method, std::string_view pattern) {
  const auto found = std::ranges::find_if(routes_, [&](const Route& route) {
    return route.method == method && route.pattern == pattern;
  });
  if (found != routes_.end()) return *found;
  return routes_.emplace_back(
      Route{.method = std::string(method), .pattern = std::string(pattern)});
}

void RequestMetrics::count_unmatched(int status) {
  ++unmatched_.by_status[status];
}

}  // namespace molecule::server

#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "server/http/message.hpp"
#include "server/metrics/histogram.hpp"

namespace molecule::server {

/// How requests went, by route.
class RequestMetrics {
 public:
  struct Route {
    std::string method;
    /// As in the table of routes; `unmatched` for all that have none.
    std::string pattern;
    std::map<int, std::uint64_t> by_status = {};
    /// From the request's last byte to the answer, without sending it.
    Histogram seconds = Histogram();
  };

  /// Counts one request when it goes out of scope.
  class Measured {
   public:
    /// `reply` must outlive this. Of `arrived` the epoch means now.
    Measured(Route& route, std::chrono::steady_clock::time_point arrived, const Reply& reply);
    Measured(const Measured&) = delete;
    Measured& operator=(const Measured&) = delete;
    ~Measured();

   private:
    Route& route_;
    std::chrono::steady_clock::time_point start_;
    const Reply& reply_;
  };

  RequestMetrics() = default;
  RequestMetrics(const RequestMetrics&) = delete;
  RequestMetrics& operator=(const RequestMetrics&) = delete;

  /// The route of that method and pattern; it stays where it is.
  Route& add(std::string_view method, std::string_view pattern);
  /// A request that no route answered, because it was malformed or refused before.
  void count_unmatched(int status);
  const std::deque<Route>& routes() const { return routes_; }

 private:
  std::deque<Route> routes_;
  Route& unmatched_ = routes_.emplace_back(Route{.method = "", .pattern = "unmatched"});
};

/// What the HTTP server has open, and may have.
struct TransportMetrics {
  std::size_t connections = 0;
  /// Of these, how many rest.
  std::size_t resting = 0;
  std::size_t max_connections = 0;
  std::size_t web_sockets = 0;
  std::size_t event_streams = 0;
  std::size_t unfinished_requests = 0;
  std::uint64_t accepted_connections = 0;
};

}  // namespace molecule::server

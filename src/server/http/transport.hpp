#pragma once

#include <restinio/http_server.hpp>
#include <restinio/null_logger.hpp>
#include <restinio/traits.hpp>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/async/clock.hpp"
#include "server/http/screened_socket.hpp"

// RESTinio as the HTTP server uses it, for its source alone: this takes long to compile.

namespace molecule::server {

struct Traits : restinio::traits_t<restinio::asio_timer_manager_t, restinio::null_logger_t,
                                   restinio::default_request_handler_t, restinio::noop_strand_t,
                                   ScreenedSocket> {
  // `Connections` counts them, as `Listener` accepts them.
  static constexpr bool use_connection_count_limiter = false;
};

using Response = restinio::response_builder_t<restinio::user_controlled_output_t>;
using Factory = restinio::impl::connection_factory_t<Traits>;
using Lifetime = restinio::connection_count_limit_types<Traits>::lifetime_monitor_t;

/// RFC 9110 6.6.1.
inline std::string date_of(const Clock& clock) {
  return restinio::make_date_field_value(clock.wall());
}

/// Takes the connection out of a request that RESTinio does not answer: it reads nothing more from
/// it, as one request at a time is handled.
inline ScreenedSocket take_over(restinio::request_t& request) {
  const auto base = std::move(restinio::impl::access_req_connection(request));
  auto* connection = dynamic_cast<restinio::impl::connection_t<Traits>*>(base.get());
  if (connection == nullptr) throw std::logic_error("the request has been answered");
  return std::move(connection->move_upgrade_internals().m_socket);
}

}  // namespace molecule::server

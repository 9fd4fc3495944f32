#pragma once

#include <asio/ip/address.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/asio.hpp"
#include "base/result.hpp"
#include "server/api/context.hpp"
#include "server/api/routes.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

/// Answers a request: finds its route, decides whether the caller may use it, runs the handler
/// inside a transaction (see `Context`), and turns failures into replies. Knows nothing of
/// HTTP connections, so tests need none.
class Router {
 public:
  /// `services` and the patterns of `routes` must outlive the router.
  Router(Services& services, const std::vector<Route>& routes);

  /// Never throws. A HEAD is answered like a GET; the transport omits the body. What the request
  /// views must outlive the call.
  awaitable<Reply> handle(Request request);

  /// Authorizes a request that the router does not answer itself: returns its caller, or the
  /// refusal. Never throws.
  awaitable<Result<Caller, Reply>> admit(Request request);

 private:
  struct Entry {
    std::vector<std::string_view> segments;
    std::size_t variables = 0;
    Route route;
    RequestMetrics::Route* use;
  };
  const Entry* find(std::string_view method, std::string_view path, std::vector<std::string>& args);
  awaitable<Reply> answer_unknown(Request request);
  Reply unknown_reply(Request& request);
  /// Finds out who sends the request, and counts it, which it is once: `rate` says so. Returns the
  /// refusal, if it goes no further.
  awaitable<std::optional<Reply>> refusal(Context& context, const Route& route, Request& request,
                                          std::optional<RequestRates::Verdict>& rate);
  /// Nothing if another transaction was in the way, so that the request has to be tried again; not
  /// the `last` time. `rate` is empty until the request is counted, which it is once.
  awaitable<std::optional<Reply>> attempt(const Route& route, Request request, bool last,
                                          std::optional<RequestRates::Verdict>& rate);
  awaitable<void> publish(Context& context);
  RequestRates::Verdict count_request(const Caller& sender, bool presence,
                                      const std::optional<asio::ip::address>& client);

  Services& services_;
  /// By number of segments, so that a request is compared with few of them.
  std::multimap<std::size_t, Entry> entries_;
};

}  // namespace molecule::server

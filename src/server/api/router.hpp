#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/context.hpp"
#include "server/api/routes.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

/// Answers a request: finds its route, runs the handler inside a transaction (see `Context`), and
/// turns what goes wrong into a reply. Knows nothing of HTTP connections, so tests need none.
class Router {
 public:
  /// `context` and the patterns of `routes` must outlive the router.
  Router(Context& context, const std::vector<Route>& routes);

  /// Never throws. A HEAD is answered as a GET: leaving the body out is the sender's part.
  Reply handle(Request request);

 private:
  struct Entry {
    std::vector<std::string_view> segments;
    Route route;
  };
  const Entry* find(std::string_view method, std::string_view path, std::vector<std::string>& args);
  Reply run(const Route& route, const Request& request, bool& committed);
  void publish();

  Context& context_;
  /// By number of segments, so that a request is compared with few of them.
  std::multimap<std::size_t, Entry> entries_;
};

}  // namespace molecule::server

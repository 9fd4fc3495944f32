#pragma once

#include <string_view>
#include <vector>

#include "base/async/asio.hpp"
#include "server/access/access.hpp"
#include "server/api/context.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

/// The context outlives the call, and so does the body that the request views.
using HandlerFunction = awaitable<Reply>(Context&, Request);
using Handler = HandlerFunction*;

/// When a route that is no GET begins its transaction.
enum class Transaction {
  always,
  on_demand  ///< when its handler calls `Context::begin_writing`, which it mostly need not
};

/// A route says who may use it: without an `Access` it does not compile.
struct Route {
  Route(std::string_view method_, std::string_view pattern_, Access access_, Handler handler_,
        ContentPolicy policy_ = ContentPolicy::api, Transaction transaction_ = Transaction::always)
      : method(method_),
        pattern(pattern_),
        access(access_),
        handler(handler_),
        policy(policy_),
        transaction(transaction_) {}

  bool begins() const { return method != "GET" && transaction == Transaction::always; }

  std::string_view method;
  /// Variable segments begin with a colon: `/workspaces/:id/activity`.
  std::string_view pattern;
  Access access;
  Handler handler;
  ContentPolicy policy;
  Transaction transaction;
};

/// The platform's routes.
std::vector<Route> all_routes();

}  // namespace molecule::server

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/async/asio.hpp"
#include "base/async/clock.hpp"
#include "base/async/tasks.hpp"
#include "net/http_client.hpp"
#include "support/scripted_server.hpp"

namespace molecule::test {

/// What every test of the client needs; ends all tasks in its destructor.
struct Network {
  Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network();

  ScriptedServer& serve(ScriptedServer::Script script, const std::string& address = "127.0.0.1");
  Result<net::HttpResponse, net::HttpError> send(net::HttpRequest request);
  Result<net::HttpResponse, net::HttpError> get(std::string url);
  /// Runs the loop until the counter of a server is at least `value`.
  void wait(ScriptedServer& server, const int& counter, int value);

  asio::io_context loop{1};
  SystemClock clock;
  TaskGroup tasks;
  std::vector<std::unique_ptr<ScriptedServer>> servers;
  net::HttpClient client;
};

}  // namespace molecule::test

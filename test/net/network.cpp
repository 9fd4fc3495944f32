#include "net/network.hpp"

#include <utility>

#include "support/run.hpp"

namespace molecule::test {

Network::Network()
    : tasks(loop.get_executor(), clock,
            [](std::string_view, std::exception_ptr error) { std::rethrow_exception(error); }),
      client(loop.get_executor()) {}

Network::~Network() {
  tasks.cancel_all();
  run(loop, tasks.join());
}

ScriptedServer& Network::serve(ScriptedServer::Script script, const std::string& address) {
  servers.push_back(std::make_unique<ScriptedServer>(loop, std::move(script), address));
  return *servers.back();
}

Result<net::HttpResponse, net::HttpError> Network::send(net::HttpRequest request) {
  return run(loop, client.send(std::move(request)));
}

Result<net::HttpResponse, net::HttpError> Network::get(std::string url) {
  net::HttpRequest request;
  request.url = std::move(url);
  return send(std::move(request));
}

void Network::wait(ScriptedServer& server, const int& counter, int value) {
  run(loop, server.reached(counter, value));
}

}  // namespace molecule::test

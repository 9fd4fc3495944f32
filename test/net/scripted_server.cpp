#include "net/scripted_server.hpp"

#include <fmt/format.h>

#include <array>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <charconv>

#include "base/text/text.hpp"
#include "support/run.hpp"

namespace molecule::test {

namespace {

std::size_t body_length(std::string_view head) {
  const std::string lower = text::lower(head);
  const std::size_t at = lower.find("content-length: ");
  std::size_t length = 0;
  if (at != std::string::npos) {
    const char* first = lower.data() + at + std::string_view("content-length: ").size();
    std::from_chars(first, lower.data() + lower.size(), length);
  }
  return length;
}

}  // namespace

awaitable<bool> Peer::receive() {
  std::array<char, 65536> chunk{};
  while (true) {
    const std::size_t end = buffer_.find("\r\n\r\n");
    const std::size_t whole = end == std::string::npos ? 0 : end + 4 + body_length(buffer_);
    if (whole > 0 && buffer_.size() >= whole) {
      last_ = buffer_.substr(0, whole);
      server_.requests.push_back(last_);
      buffer_.erase(0, whole);
      co_return true;
    }
    auto [error, got] = co_await socket_.async_read_some(asio::buffer(chunk), as_tuple);
    if (error) co_return false;
    buffer_.append(chunk.data(), got);
  }
}

awaitable<void> Peer::say(std::string bytes) {
  [[maybe_unused]] auto [error, sent] =
      co_await asio::async_write(socket_, asio::buffer(bytes), as_tuple);
}

awaitable<void> Peer::trickle(std::string bytes) {
  socket_.set_option(asio::ip::tcp::no_delay(true));
  for (const char byte : bytes) {
    std::string one(1, byte);
    co_await say(std::move(one));
    // Yield twice: the client's wait completes in the first turn, and it reads in the second.
    co_await asio::post(asio::use_awaitable);
    co_await asio::post(asio::use_awaitable);
  }
}

awaitable<void> Peer::until_closed() {
  std::array<char, 4096> chunk{};
  while (true) {
    [[maybe_unused]] auto [error, got] =
        co_await socket_.async_read_some(asio::buffer(chunk), as_tuple);
    if (!error) continue;
    if (error != asio::error::operation_aborted) {
      ++server_.closed;
      server_.changed_.notify_all();
    }
    co_return;
  }
}

void Peer::reset() {
  socket_.set_option(asio::socket_base::linger(true, 0));
  socket_.close();
}

awaitable<void> Peer::echo_path() {
  const std::size_t first = last_.find(' ') + 1;
  const std::string path = last_.substr(first, last_.find(' ', first) - first);
  std::string answer =
      fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", path.size(), path);
  co_await say(std::move(answer));
}

awaitable<void> Peer::all_marked(int count) {
  return server_.reached(server_.marks, count);
}

void Peer::mark() {
  server_.mark();
}

ScriptedServer::ScriptedServer(asio::io_context& loop, Clock& clock, TaskGroup& tasks,
                               Script script, std::string address)
    : acceptor_(loop, asio::ip::tcp::endpoint(asio::ip::make_address(address), 0)),
      tasks_(tasks),
      script_(script),
      changed_(clock) {
  tasks_.spawn("accept", accept());
}

void ScriptedServer::mark() {
  ++marks;
  changed_.notify_all();
}

std::string ScriptedServer::url(std::string_view path) const {
  return fmt::format("http://127.0.0.1:{}{}", port(), path);
}

awaitable<void> ScriptedServer::reached(const int& counter, int value) {
  while (counter < value) co_await changed_.wait();
}

awaitable<void> ScriptedServer::accept() {
  while (true) {
    auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
    ++connections;
    changed_.notify_all();
    tasks_.spawn("connection", serve(std::move(socket)));
  }
}

awaitable<void> ScriptedServer::serve(asio::ip::tcp::socket socket) {
  Peer peer(std::move(socket), *this);
  co_await script_(peer);
}

Network::Network()
    : tasks(loop.get_executor(), clock,
            [](std::string_view, std::exception_ptr error) { std::rethrow_exception(error); }),
      client(loop.get_executor()) {}

Network::~Network() {
  tasks.cancel_all();
  run(loop, tasks.join());
}

ScriptedServer& Network::serve(ScriptedServer::Script script, std::string address) {
  servers.push_back(
      std::make_unique<ScriptedServer>(loop, clock, tasks, script, std::move(address)));
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

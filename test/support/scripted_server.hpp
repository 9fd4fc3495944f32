#pragma once

#include <algorithm>
#include <array>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <charconv>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/async/asio.hpp"
#include "base/async/event.hpp"
#include "base/text/text.hpp"

namespace molecule::test {

/// One request, as received.
struct Received {
  std::string method;
  /// Includes the query.
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  /// The first header field of that name; empty if there is none.
  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (text::equal_ignoring_case(key, name)) return value;
    }
    return {};
  }
  std::string path() const { return target.substr(0, target.find('?')); }
};

/// What the server does with a request.
struct Canned {
  enum class Act {
    answer,
    reset,     ///< closes without sending anything
    truncate,  ///< sends half of the body, then closes
    hang       ///< never answers
  };
  int status = 200;
  std::string body = "{}";
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  Act act = Act::answer;
  /// Delays the response until this is notified; null: respond at once.
  Event* held = nullptr;
};

/// An HTTP/1.1 server on the test's own loop: canned responses per method and path (the last one of
/// a path repeats), 404 for everything else. Records every request and keeps connections alive.
/// Must not outlive the loop.
class ScriptedServer {
 public:
  explicit ScriptedServer(asio::io_context& loop) : state_(std::make_shared<State>(loop)) {
    asio::co_spawn(loop, accept_all(state_), ended);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer() { state_->acceptor.close(); }

  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(state_->acceptor.local_endpoint().port());
  }
  /// Adds a response; `call` is method and path without the query: `GET /health`.
  void answer(const std::string& call, Canned canned) {
    state_->script[call].push_back(std::move(canned));
  }
  void answer(const std::string& call, int status, std::string body) {
    answer(call, Canned{.status = status, .body = std::move(body)});
  }
  /// Removes the responses for `call`.
  void forget(const std::string& call) { state_->script.erase(call); }

  const std::vector<Received>& requests() const { return state_->requests; }
  /// The recorded requests for one method and path.
  std::vector<Received> requests(std::string_view call) const {
    std::vector<Received> found;
    for (const Received& r : state_->requests) {
      if (r.method + " " + r.path() == call) found.push_back(r);
    }
    return found;
  }
  std::size_t connections() const { return state_->connections; }

 private:
  using Socket = asio::ip::tcp::socket;

  struct State {
    explicit State(asio::io_context& loop)
        : acceptor(loop, {asio::ip::address_v4::loopback(), 0}) {}
    asio::ip::tcp::acceptor acceptor;
    std::map<std::string, std::vector<Canned>> script;
    std::map<std::string, std::size_t> used;
    std::vector<Received> requests;
    std::size_t connections = 0;

    Canned next(const std::string& call) {
      const auto found = script.find(call);
      if (found == script.end()) {
        return Canned{.status = 404, .body = "404 page not found", .content_type = "text/plain"};
      }
      const std::size_t turn = used[call]++;
      return found->second[std::min(turn, found->second.size() - 1)];
    }
  };

  static void ended(std::exception_ptr) {}

  static awaitable<void> accept_all(std::shared_ptr<State> state) {
    while (true) {
      auto [error, socket] = co_await state->acceptor.async_accept(as_tuple);
      if (error) co_return;
      ++state->connections;
      const auto executor = state->acceptor.get_executor();
      asio::co_spawn(executor, serve(state, std::move(socket)), ended);
    }
  }

  static awaitable<void> serve(std::shared_ptr<State> state, Socket socket) {
    std::string input;
    std::array<char, 16384> chunk{};
    while (true) {
      Received request;
      while (!take(input, request)) {
        const auto room = asio::buffer(chunk);
        auto [error, size] = co_await socket.async_read_some(room, as_tuple);
        if (error) co_return;
        input.append(chunk.data(), size);
      }
      const std::string call = request.method + " " + request.path();
      state->requests.push_back(std::move(request));
      const Canned canned = state->next(call);
      if (canned.act == Canned::Act::reset) {
        const asio::socket_base::linger at_once(true, 0);
        socket.set_option(at_once);
        co_return;
      }
      if (canned.act == Canned::Act::hang) {
        const auto room = asio::buffer(chunk);
        [[maybe_unused]] auto [error, size] = co_await socket.async_read_some(room, as_tuple);
        co_return;
      }
      if (canned.held != nullptr) co_await canned.held->wait();
      const std::string output = encode(canned);
      const auto bytes = asio::buffer(output);
      [[maybe_unused]] auto [error, size] = co_await asio::async_write(socket, bytes, as_tuple);
      if (error || canned.act == Canned::Act::truncate) co_return;
    }
  }

  /// Extracts one complete request from `input`; false if more bytes are needed.
  static bool take(std::string& input, Received& request) {
    const std::size_t head_end = input.find("\r\n\r\n");
    if (head_end == std::string::npos) return false;
    Received parsed;
    std::string_view head = std::string_view(input).substr(0, head_end);
    const std::string_view first = head.substr(0, head.find("\r\n"));
    const std::size_t space = first.find(' ');
    parsed.method = first.substr(0, space);
    parsed.target = first.substr(space + 1, first.rfind(' ') - space - 1);
    while (head.find("\r\n") != std::string_view::npos) {
      head.remove_prefix(head.find("\r\n") + 2);
      const std::string_view line = head.substr(0, head.find("\r\n"));
      const std::size_t colon = line.find(':');
      parsed.headers.emplace_back(line.substr(0, colon), text::trim(line.substr(colon + 1)));
    }
    std::size_t end = head_end + 4;
    if (text::equal_ignoring_case(parsed.header("Transfer-Encoding"), "chunked")) {
      if (!take_chunks(input, end, parsed.body)) return false;
    } else {
      std::size_t length = 0;
      const std::string field = parsed.header("Content-Length");
      std::from_chars(field.data(), field.data() + field.size(), length);
      if (input.size() < end + length) return false;
      parsed.body = input.substr(end, length);
      end += length;
    }
    input.erase(0, end);
    request = std::move(parsed);
    return true;
  }

  static bool take_chunks(const std::string& input, std::size_t& at, std::string& body) {
    while (true) {
      const std::size_t line_end = input.find("\r\n", at);
      if (line_end == std::string::npos) return false;
      std::size_t size = 0;
      std::from_chars(input.data() + at, input.data() + line_end, size, 16);
      if (input.size() < line_end + 2 + size + 2) return false;
      body += input.substr(line_end + 2, size);
      at = line_end + 2 + size + 2;
      if (size == 0) return true;
    }
  }

  static std::string encode(const Canned& canned) {
    std::string out = "HTTP/1.1 " + std::to_string(canned.status) + " Scripted\r\n";
    if (!canned.content_type.empty()) out += "Content-Type: " + canned.content_type + "\r\n";
    for (const auto& [name, value] : canned.headers) out += name + ": " + value + "\r\n";
    const bool bodiless = canned.status == 204 || canned.status == 304;
    if (!bodiless) out += "Content-Length: " + std::to_string(canned.body.size()) + "\r\n";
    out += "\r\n";
    const bool half = canned.act == Canned::Act::truncate;
    if (!bodiless) out += half ? canned.body.substr(0, canned.body.size() / 2) : canned.body;
    return out;
  }

  std::shared_ptr<State> state_;
};

}  // namespace molecule::test

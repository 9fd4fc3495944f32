#include "support/scripted_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <asio/write.hpp>
#include <charconv>
#include <exception>
#include <map>

#include "base/async/clock.hpp"
#include "base/text/text.hpp"

namespace molecule::test {

namespace {

void rethrow(std::exception_ptr error) {
  if (error) std::rethrow_exception(error);
}

/// Appends the chunks from `at` on to `body`; false if more bytes are needed.
bool take_chunks(const std::string& input, std::size_t& at, std::string& body) {
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

void read_head(std::string_view head, Received& request) {
  const std::string_view first = head.substr(0, head.find("\r\n"));
  const std::size_t space = first.find(' ');
  request.method = first.substr(0, space);
  request.target = first.substr(space + 1, first.rfind(' ') - space - 1);
  while (head.find("\r\n") != std::string_view::npos) {
    head.remove_prefix(head.find("\r\n") + 2);
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const std::size_t colon = line.find(':');
    request.headers.emplace_back(line.substr(0, colon), text::trim(line.substr(colon + 1)));
  }
}

/// Moves one complete request out of `input`; false if more bytes are needed.
bool take_request(std::string& input, Received& request) {
  const std::size_t head_end = input.find("\r\n\r\n");
  if (head_end == std::string::npos) return false;
  Received parsed;
  read_head(std::string_view(input).substr(0, head_end), parsed);
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
  parsed.text = input.substr(0, end);
  input.erase(0, end);
  request = std::move(parsed);
  return true;
}

std::string encode(const Canned& canned) {
  std::string out = fmt::format("HTTP/1.1 {} Scripted\r\n", canned.status);
  if (!canned.content_type.empty()) out += "Content-Type: " + canned.content_type + "\r\n";
  for (const auto& [name, value] : canned.headers) out += name + ": " + value + "\r\n";
  const bool bodiless = canned.status == 204 || canned.status == 304;
  if (!bodiless) out += fmt::format("Content-Length: {}\r\n", canned.body.size());
  out += "\r\n";
  const bool half = canned.act == Canned::Act::truncate;
  if (!bodiless) out += half ? canned.body.substr(0, canned.body.size() / 2) : canned.body;
  return out;
}

}  // namespace

std::string Received::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (text::equal_ignoring_case(key, name)) return value;
  }
  return {};
}

/// Held by every connection, so that the server may go before they end.
struct ScriptedServer::State {
  State(asio::io_context& loop, const std::string& address)
      : acceptor(loop, asio::ip::tcp::endpoint(asio::ip::make_address(address), 0)) {}

  asio::ip::tcp::acceptor acceptor;
  Script script;
  std::map<std::string, std::vector<Canned>> answers;
  std::map<std::string, std::size_t> answered;
  std::vector<Received> requests;
  int connections = 0;
  int closed = 0;
  int marks = 0;
  SystemClock clock;
  Event changed{clock};

  Canned next(const std::string& call) {
    const auto found = answers.find(call);
    if (found == answers.end()) {
      return Canned{.status = 404, .body = "404 page not found", .content_type = "text/plain"};
    }
    const std::size_t turn = answered[call]++;
    return found->second[std::min(turn, found->second.size() - 1)];
  }
  void count(int& counter) {
    ++counter;
    changed.notify_all();
  }

  static awaitable<void> play(std::shared_ptr<State> state, asio::ip::tcp::socket socket) {
    Peer peer(std::move(socket), state);
    co_await state->script(peer);
  }
  static awaitable<void> accept_all(std::shared_ptr<State> state) {
    while (true) {
      auto [error, socket] = co_await state->acceptor.async_accept(as_tuple);
      if (error) co_return;
      state->count(state->connections);
      const auto executor = state->acceptor.get_executor();
      asio::co_spawn(executor, play(state, std::move(socket)), rethrow);
    }
  }
  /// The script of a server that was given none.
  static awaitable<void> play_answers(Peer& peer);
};

awaitable<void> ScriptedServer::State::play_answers(Peer& peer) {
  const std::shared_ptr<State> state = peer.server_;
  while (true) {
    const bool received = co_await peer.receive();
    if (!received) co_return;
    const Canned canned = state->next(peer.last_.method + " " + peer.last_.path());
    if (canned.act == Canned::Act::reset) {
      peer.reset();
      co_return;
    }
    if (canned.act == Canned::Act::hang) {
      co_await peer.until_closed();
      co_return;
    }
    if (canned.held != nullptr) co_await canned.held->wait();
    std::string bytes = encode(canned);
    co_await peer.say(std::move(bytes));
    if (canned.act == Canned::Act::truncate) co_return;
  }
}

ScriptedServer::ScriptedServer(asio::io_context& loop)
    : ScriptedServer(loop, State::play_answers) {}

ScriptedServer::ScriptedServer(asio::io_context& loop, Script script, const std::string& address)
    : state_(std::make_shared<State>(loop, address)) {
  state_->script = std::move(script);
  asio::co_spawn(loop, State::accept_all(state_), rethrow);
}

ScriptedServer::~ScriptedServer() {
  state_->acceptor.close();
}

std::uint16_t ScriptedServer::port() const {
  return state_->acceptor.local_endpoint().port();
}

std::string ScriptedServer::url(std::string_view path) const {
  return fmt::format("http://127.0.0.1:{}{}", port(), path);
}

void ScriptedServer::answer(const std::string& call, Canned canned) {
  state_->answers[call].push_back(std::move(canned));
}

void ScriptedServer::answer(const std::string& call, int status, std::string body) {
  answer(call, Canned{.status = status, .body = std::move(body)});
}

void ScriptedServer::forget(const std::string& call) {
  state_->answers.erase(call);
}

const std::vector<Received>& ScriptedServer::requests() const {
  return state_->requests;
}

std::vector<Received> ScriptedServer::requests(std::string_view call) const {
  std::vector<Received> found;
  for (const Received& r : state_->requests) {
    if (r.method + " " + r.path() == call) found.push_back(r);
  }
  return found;
}

const int& ScriptedServer::connections() const {
  return state_->connections;
}

const int& ScriptedServer::closed() const {
  return state_->closed;
}

const int& ScriptedServer::marks() const {
  return state_->marks;
}

void ScriptedServer::mark() {
  state_->count(state_->marks);
}

awaitable<void> ScriptedServer::reached(const int& counter, int value) {
  const std::shared_ptr<State> state = state_;
  while (counter < value) co_await state->changed.wait();
}

Peer::Peer(asio::ip::tcp::socket socket, std::shared_ptr<ScriptedServer::State> server)
    : socket_(std::move(socket)), server_(std::move(server)) {}

awaitable<bool> Peer::receive() {
  std::array<char, 65536> chunk{};
  while (!take_request(buffer_, last_)) {
    const auto room = asio::buffer(chunk);
    auto [error, size] = co_await socket_.async_read_some(room, as_tuple);
    if (error) co_return false;
    buffer_.append(chunk.data(), size);
  }
  server_->requests.push_back(last_);
  co_return true;
}

awaitable<void> Peer::say(std::string bytes) {
  const auto whole = asio::buffer(bytes);
  [[maybe_unused]] auto [error, sent] = co_await asio::async_write(socket_, whole, as_tuple);
}

awaitable<void> Peer::trickle(std::string bytes) {
  socket_.set_option(asio::ip::tcp::no_delay(true));
  for (const char byte : bytes) {
    std::string one(1, byte);
    co_await say(std::move(one));
    // Two turns of the loop: the client's wait ends in the first and reads in the second.
    co_await asio::post(asio::use_awaitable);
    co_await asio::post(asio::use_awaitable);
  }
}

awaitable<void> Peer::until_closed() {
  std::array<char, 4096> chunk{};
  while (true) {
    const auto room = asio::buffer(chunk);
    [[maybe_unused]] auto [error, got] = co_await socket_.async_read_some(room, as_tuple);
    if (!error) continue;
    if (error != asio::error::operation_aborted) server_->count(server_->closed);
    co_return;
  }
}

void Peer::reset() {
  socket_.set_option(asio::socket_base::linger(true, 0));
  socket_.close();
}

awaitable<void> Peer::echo_path() {
  std::string answer = fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}",
                                   last_.target.size(), last_.target);
  co_await say(std::move(answer));
}

awaitable<void> Peer::all_marked(int count) {
  while (server_->marks < count) co_await server_->changed.wait();
}

void Peer::mark() {
  server_->count(server_->marks);
}

}  // namespace molecule::test

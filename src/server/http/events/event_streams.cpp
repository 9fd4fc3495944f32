#include "server/http/events/event_streams.hpp"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "server/http/http_gate.hpp"

namespace molecule::server {

namespace {

constexpr std::uint64_t keep_alive_rounds = std::chrono::seconds(15) / EventStreams::round_interval;
/// A client has nothing more to say.
constexpr std::size_t max_unasked = std::size_t{64} << 10;
constexpr std::string_view comment = ": ping\n\n";

std::string head_of(const Reply& reply, bool chunked) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\n", reply.status,
                                 reason_of(reply.status), reply.content_type);
  for (const auto& [name, value] : reply.headers) head += fmt::format("{}: {}\r\n", name, value);
  head += chunked ? "Transfer-Encoding: chunked\r\n" : "Connection: close\r\n";
  return head + "\r\n";
}

}  // namespace

/// One client's end. Handlers keep it alive, and so does the wire until it is closed.
class EventStreams::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(ScreenedSocket socket, bool chunked, std::function<void()> on_end)
      : socket_(std::move(socket)), chunked_(chunked), on_end_(std::move(on_end)) {
    socket_.become_stream();
  }

  void start(std::string head) {
    waiting_ = std::move(head);
    write();
    watch();
  }

  void send(std::string_view text, std::function<void()> sent) {
    waiting_ += chunked_ ? fmt::format("{:x}\r\n{}\r\n", text.size(), text) : std::string(text);
    waiting_sent_.push_back(std::move(sent));
    write();
  }

  /// In the next turn of the loop, when the system has taken what it does.
  void close() {
    closed_ = true;
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->finish(); });
  }

 private:
  void write() {
    if (closed_ || !writing_.empty() || waiting_.empty()) return;
    writing_ = std::exchange(waiting_, {});
    writing_sent_ = std::exchange(waiting_sent_, {});
    asio::async_write(socket_, asio::buffer(writing_),
                      [self = shared_from_this()](asio::error_code failure, std::size_t) {
                        self->written(failure);
                      });
  }

  void written(asio::error_code failure) {
    if (!failure) writing_ = {};
    if (closed_) return;
    if (failure) return on_end_();
    const std::vector<std::function<void()>> sent = std::exchange(writing_sent_, {});
    for (const auto& taken : sent) taken();
    write();
  }

  void finish() {
    asio::error_code ignored;
    if (chunked_ && writing_.empty()) {
      // What the system does not take now is not worth waiting for.
      (void)socket_.non_blocking(true, ignored);
      (void)socket_.write_some(asio::buffer(std::string_view("0\r\n\r\n")), ignored);
    }
    if (!writing_.empty()) {
      // What a client does not take the system need not keep either.
      (void)socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    }
    (void)socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    (void)socket_.close(ignored);
  }

  /// Waits for the client's end, without a buffer for it.
  void watch() {
    socket_.async_wait(asio::ip::tcp::socket::wait_read,
                       [self = shared_from_this()](asio::error_code failure) {
                         if (!self->closed_) self->look(failure);
                       });
  }

  void look(asio::error_code failure) {
    std::array<char, 4096> discarded{};
    auto& plain = static_cast<asio::ip::tcp::socket&>(socket_);
    if (!failure) unasked_ += plain.read_some(asio::buffer(discarded), failure);
    if (failure || unasked_ > max_unasked) return on_end_();
    watch();
  }

  ScreenedSocket socket_;
  bool chunked_;
  bool closed_ = false;
  std::function<void()> on_end_;
  /// Being written; `waiting_` follows it.
  std::string writing_;
  std::vector<std::function<void()>> writing_sent_;
  std::string waiting_;
  std::vector<std::function<void()>> waiting_sent_;
  std::size_t unasked_ = 0;
};

std::string event_owner(const Caller& caller) {
  return caller.is_admin() ? std::string(EventSockets::the_person) : caller.token_id;
}

// A quarter of the connections stays free for requests.
EventStreams::EventStreams(EventHub& events, std::size_t max_connections)
    : events_(events),
      sockets_({.clients = "event streams",
                .all = max_connections - max_connections / 4,
                .for_the_person = max_connections / 64,
                .one_token = 16,
                .bytes_of_one_client = std::uint64_t{1} << 20,
                .bytes_of_one_token = std::uint64_t{4} << 20,
                .bytes_of_all = std::uint64_t{64} << 20}) {}

void EventStreams::open(ScreenedSocket socket, const Reply& reply) {
  const bool chunked = !socket.is_http_1_0();
  const std::uint64_t id = sockets_.next_id();
  const auto connection =
      std::make_shared<Connection>(std::move(socket), chunked, [this, id] { sockets_.drop(id); });
  const std::uint64_t subscription = events_.subscribe_stream(
      reply.following->workspace_id,
      {.caller = reply.following->caller,
       .send = [this, id](const std::string& text) { sockets_.send(id, text); },
       .revoke = [this, id] { sockets_.drop(id); },
       .dismiss = [this, id] { sockets_.drop(id); }});
  sockets_.open(id, event_owner(reply.following->caller),
                {.send_text =
                     [connection](const std::string& text, std::function<void()> sent) {
                       connection->send(text, std::move(sent));
                     },
                 .send_pong = {},
                 .send_ping = {},
                 .close =
                     [this, connection, subscription](EventSockets::Close) {
                       events_.unsubscribe(subscription);
                       connection->close();
                     }});
  connection->start(head_of(reply, chunked));
  sockets_.send(id, std::string(comment));
}

void EventStreams::keep_alive() {
  ++round_;
  for (const std::uint64_t id : sockets_.ids()) {
    if (id % keep_alive_rounds == round_ % keep_alive_rounds) {
      sockets_.send(id, std::string(comment));
    }
  }
}

}  // namespace molecule::server

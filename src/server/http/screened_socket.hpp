#pragma once

#include <asio/bind_executor.hpp>
#include <asio/execution_context.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "server/http/limits/client_network.hpp"
#include "server/http/limits/connections.hpp"
#include "server/http/request_screen.hpp"

namespace molecule::server {

/// Shared by all screened sockets of an `io_context`: RESTinio constructs its sockets from nothing
/// else.
class ScreenService final : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;

  explicit ScreenService(asio::execution_context& context) : service(context) {}
  void shutdown() override {}

  RequestScreen::Rules rules;
  /// The bytes to send in answer to a refused request.
  std::function<std::string(const RequestScreen&)> answer;
  /// Takes a connection that has been idle for a while.
  std::function<void(asio::ip::tcp::socket, std::shared_ptr<Connections::Entry>)> rest;
};

/// RESTinio's socket, whose reads pass through a `RequestScreen`. A refused request is answered
/// from here; then the client's remaining bytes are discarded for a while, because closing at once
/// would reset the connection and lose the answer. RESTinio sees the end of the stream. The
/// socket's entry among all connections is told what the client is doing, and may drop the
/// connection, or let it rest: then RESTinio sees the end of the stream as well.
class ScreenedSocket : public asio::ip::tcp::socket {
 public:
  using Base = asio::ip::tcp::socket;

  ScreenedSocket(Base&& socket, asio::io_context& loop, std::shared_ptr<Connections::Entry> entry)
      : Base(std::move(socket)),
        service_(&asio::use_service<ScreenService>(loop)),
        screen_(std::make_shared<RequestScreen>(service_->rules,
                                                client_network(remote_endpoint().address()))),
        entry_(std::move(entry)) {
    own_entry();
  }
  ScreenedSocket(ScreenedSocket&& other) noexcept
      // Moves the part that is the base's.
      : Base(static_cast<Base&&>(other)),
        service_(other.service_),
        screen_(std::move(other.screen_)),
        entry_(std::move(other.entry_)) {
    own_entry();
  }
  ScreenedSocket& operator=(ScreenedSocket&&) = delete;
  ~ScreenedSocket() {
    if (entry_) entry_->set_owner({});
  }

  ScreenedSocket& lowest_layer() { return *this; }
  // RESTinio asks for the peer of a socket that may be gone already; that must not throw.
  endpoint_type remote_endpoint() const {
    asio::error_code ignored;
    return Base::remote_endpoint(ignored);
  }

  bool is_http_1_0() const { return screen_->is_http_1_0(); }
  /// From here on this is no longer a connection for requests, but one that waits for events: what
  /// it writes still counts, and what it reads is not screened any more.
  void become_stream() {
    entry_->enter(Connections::Phase::stream);
    screen_.reset();
  }

  // The handlers of these two are taken by reference, as asio's own sockets take them: asio calls
  // `async_write_some(buffers_.prepare(n), std::move(*this))`, and a handler by value would be
  // moved there, with the buffers that it holds, before `prepare` where a compiler evaluates the
  // last argument first, as g++ does.
  template <class Buffer, class Handler>
  void async_read_some(const Buffer& buffer, Handler&& handler) {
    if (screen_->verdict() != RequestScreen::Verdict::pass) {
      return refuse(asio::mutable_buffer(buffer), std::forward<Handler>(handler));
    }
    // RESTinio reads on when it has answered.
    screen_->release_body();
    enter(screen_->stage());
    if (screen_->take_expectation()) {
      return go_on(asio::mutable_buffer(buffer), std::forward<Handler>(handler));
    }
    read(asio::mutable_buffer(buffer), std::forward<Handler>(handler));
  }

  template <class Buffers, class Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    const auto executor = asio::get_associated_executor(handler, get_executor());
    entry_->write_began();
    Base::async_write_some(
        buffers,
        asio::bind_executor(executor, [entry = entry_, handler = std::forward<Handler>(handler)](
                                          asio::error_code failure, std::size_t size) mutable {
          entry->write_ended();
          handler(failure, size);
        }));
  }

 private:
  static constexpr std::uint64_t max_discarded = std::uint64_t{64} << 20;

  // The handler keeps the connection alive, of which this socket is a part.
  template <class Handler>
  void read(asio::mutable_buffer buffer, Handler handler) {
    const auto executor = asio::get_associated_executor(handler, get_executor());
    Base::async_read_some(
        buffer, asio::bind_executor(
                    executor, [this, screen = screen_, buffer, handler = std::move(handler)](
                                  asio::error_code failure, std::size_t size) mutable {
                      const bool rests = std::exchange(rests_, false);
                      if (failure == asio::error::operation_aborted && rests) {
                        service_->rest(static_cast<Base&&>(*this), std::move(entry_));
                        return handler(asio::error::eof, 0);
                      }
                      if (failure) return handler(failure, size);
                      const std::size_t passed =
                          screen->take({static_cast<char*>(buffer.data()), size});
                      enter(screen->stage(), true);
                      pass_on(passed, buffer, std::move(handler));
                    }));
  }

  /// Passes bytes on once it is decided whether they may be.
  template <class Handler>
  void pass_on(std::size_t passed, asio::mutable_buffer buffer, Handler handler) {
    const std::shared_ptr<RequestScreen::Decision> pending = screen_->pending();
    if (!pending) {
      if (passed == 0) return refuse(buffer, std::move(handler));
      return handler(asio::error_code(), passed);
    }
    const auto executor = asio::get_associated_executor(handler, get_executor());
    auto waiting = std::make_shared<Handler>(std::move(handler));
    pending->on_decided = [this, screen = screen_, executor, passed, buffer, waiting] {
      asio::post(executor, [this, screen, passed, buffer, waiting] {
        pass_on(screen->settle(passed), buffer, std::move(*waiting));
      });
    };
    if (pending->outcome) std::exchange(pending->on_decided, nullptr)();
  }

  /// Says that the body may come, then reads it.
  template <class Handler>
  void go_on(asio::mutable_buffer buffer, Handler handler) {
    static constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto executor = asio::get_associated_executor(handler, get_executor());
    asio::async_write(
        static_cast<Base&>(*this), asio::buffer(interim),
        asio::bind_executor(executor, [this, buffer, handler = std::move(handler)](
                                          asio::error_code failure, std::size_t) mutable {
          if (failure) return handler(failure, 0);
          read(buffer, std::move(handler));
        }));
  }

  void enter(RequestScreen::Stage stage, bool just_read = false) {
    switch (stage) {
      case RequestScreen::Stage::idle:
        // After bytes that ended a request comes its answer.
        return entry_->enter(just_read ? Connections::Phase::answer : Connections::Phase::idle);
      case RequestScreen::Stage::head:
        return entry_->enter(Connections::Phase::head);
      case RequestScreen::Stage::body:
        return entry_->enter(Connections::Phase::body);
      case RequestScreen::Stage::stream:
        return entry_->enter(Connections::Phase::stream);
    }
  }

  void own_entry() {
    if (entry_) entry_->set_owner({.drop = [this] { cut(); }, .rest = [this] { rest(); }});
  }

  /// Between two requests nothing goes on but a read.
  void rest() {
    if (!screen_ || screen_->verdict() != RequestScreen::Verdict::pass) return;
    if (screen_->stage() != RequestScreen::Stage::idle) return;
    asio::error_code failure;
    (void)Base::cancel(failure);
    rests_ = !failure;
  }

  /// Ends the connection: what RESTinio reads or writes fails, on which it closes. Unsent bytes are
  /// not kept by the system either.
  void cut() {
    asio::error_code ignored;
    (void)Base::set_option(asio::socket_base::linger(true, 0), ignored);
    (void)Base::shutdown(Base::shutdown_both, ignored);
  }

  template <class Handler>
  void refuse(asio::mutable_buffer buffer, Handler handler) {
    const auto executor = asio::get_associated_executor(handler, get_executor());
    auto answer = std::make_shared<std::string>(service_->answer(*screen_));
    const asio::const_buffer bytes = asio::buffer(*answer);
    asio::async_write(
        static_cast<Base&>(*this), bytes,
        asio::bind_executor(
            executor, [this, answer = std::move(answer), buffer, handler = std::move(handler)](
                          asio::error_code failure, std::size_t) mutable {
              if (failure) return handler(failure, 0);
              (void)Base::shutdown(Base::shutdown_send, failure);
              discard(buffer, 0, std::move(handler));
            }));
  }

  template <class Handler>
  void discard(asio::mutable_buffer buffer, std::uint64_t discarded, Handler handler) {
    const auto executor = asio::get_associated_executor(handler, get_executor());
    Base::async_read_some(
        buffer,
        asio::bind_executor(executor, [this, buffer, discarded, handler = std::move(handler)](
                                          asio::error_code failure, std::size_t size) mutable {
          if (failure) return handler(failure, 0);
          if (discarded + size > max_discarded) {
            return handler(asio::error::eof, 0);
          }
          discard(buffer, discarded + size, std::move(handler));
        }));
  }

  ScreenService* service_;
  std::shared_ptr<RequestScreen> screen_;
  std::shared_ptr<Connections::Entry> entry_;
  bool rests_ = false;
};

}  // namespace molecule::server

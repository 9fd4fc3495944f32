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
#include <utility>

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
};

/// RESTinio's socket, whose reads pass through a `RequestScreen`. A refused request is answered
/// from here; then the client's remaining bytes are discarded for a while, because closing at once
/// would reset the connection and lose the answer. RESTinio sees the end of the stream. Its read
/// timeout ends this too.
class ScreenedSocket : public asio::ip::tcp::socket {
 public:
  using Base = asio::ip::tcp::socket;

  explicit ScreenedSocket(asio::io_context& loop)
      : Base(loop), service_(&asio::use_service<ScreenService>(loop)) {}

  // RESTinio asks every new socket for its peer through these, and counts the connection only then:
  // a peer that has already gone must not throw, or the count would stay wrong.
  ScreenedSocket& lowest_layer() { return *this; }
  endpoint_type remote_endpoint() const {
    asio::error_code ignored;
    return Base::remote_endpoint(ignored);
  }

  template <class Buffer, class Handler>
  void async_read_some(const Buffer& buffer, Handler handler) {
    // Created at the first read: RESTinio accepts into a moved-from socket.
    if (!screen_) screen_ = std::make_shared<RequestScreen>(service_->rules);
    if (screen_->verdict() != RequestScreen::Verdict::pass) {
      return refuse(asio::mutable_buffer(buffer), std::move(handler));
    }
    read(asio::mutable_buffer(buffer), std::move(handler));
  }

 private:
  static constexpr std::uint64_t max_discarded = std::uint64_t{64} << 20;

  // The handler keeps the connection alive, of which this socket is a part.
  template <class Handler>
  void read(asio::mutable_buffer buffer, Handler handler) {
    const auto executor = asio::get_associated_executor(handler, get_executor());
    Base::async_read_some(
        buffer, asio::bind_executor(executor,
                                    [this, screen = screen_, buffer, handler = std::move(handler)](
                                        asio::error_code failure, std::size_t size) mutable {
                                      if (failure) return handler(failure, size);
                                      const std::size_t passed =
                                          screen->take({static_cast<char*>(buffer.data()), size});
                                      if (passed == 0) return refuse(buffer, std::move(handler));
                                      handler(failure, passed);
                                    }));
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
};

}  // namespace molecule::server

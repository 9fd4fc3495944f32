#pragma once

#include <asio/error_code.hpp>
#include <cstdint>
#include <functional>
#include <restinio/websocket/websocket.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "server/http/limits/event_sockets.hpp"

namespace molecule::server {

// RESTinio's WebSockets, as http_server.cpp uses them.

namespace ws = restinio::websocket::basic;

/// The value of Sec-WebSocket-Accept (RFC 6455 4.2.2).
inline std::string accept_key(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const auto digest = restinio::utils::sha1::make_digest(text);
  return restinio::utils::base64::encode(restinio::utils::sha1::to_string(digest));
}

inline void close(ws::ws_t& socket, EventSockets::Close how) {
  switch (how) {
    case EventSockets::Close::cut:
      return socket.kill();
    case EventSockets::Close::replied:
      // RESTinio's own farewell is on its way already.
      return socket.shutdown();
    case EventSockets::Close::going_away:
    case EventSockets::Close::revoked:
      break;
  }
  const auto code = static_cast<ws::status_code_t>(how);
  socket.send_message(ws::final_frame, ws::opcode_t::connection_close_frame,
                      ws::status_code_to_bin(code));
}

/// `ended` is called when the client is done with, before the connection is.
inline EventSockets::Wire wire_of(const ws::ws_handle_t& socket, std::function<void()> ended) {
  const auto send_as = [socket](ws::opcode_t opcode) {
    return [socket, opcode](const std::string& payload, std::function<void()> sent) {
      socket->send_message(ws::final_frame, opcode, payload,
                           [sent = std::move(sent)](const asio::error_code&) { sent(); });
    };
  };
  return {.send_text = send_as(ws::opcode_t::text_frame),
          .send_pong = send_as(ws::opcode_t::pong_frame),
          .send_ping =
              [socket] {
                socket->send_message(ws::final_frame, ws::opcode_t::ping_frame, std::string());
              },
          .close =
              [socket, ended = std::move(ended)](EventSockets::Close how) {
                ended();
                close(*socket, how);
              }};
}

}  // namespace molecule::server

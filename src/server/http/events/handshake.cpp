#include "server/http/events/handshake.hpp"

#include <charconv>

#include "base/text/text.hpp"

namespace molecule::server {

namespace {

constexpr std::string_view own_protocol = "molecule-ws";

/// Empty for anything but pairs of hexadecimal digits.
std::string decode_hex(std::string_view hex) {
  std::string bytes;
  if (hex.size() % 2 != 0) return {};
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    unsigned byte = 0;
    const auto [end, failure] = std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    if (failure != std::errc() || end != hex.data() + i + 2) return {};
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace

SocketOffer socket_offer(const Request& request) {
  constexpr std::string_view hex_mark = "molecule-auth.";
  constexpr std::string_view plain_mark = "bearer.";
  SocketOffer offer;
  std::string echoed;
  const std::string_view offered = request.header("Sec-WebSocket-Protocol").value_or("");
  for (const std::string& item : text::split_list(offered, ',')) {
    if (item == own_protocol) offer.chosen = item;
    if (offer.token) continue;
    if (item.starts_with(hex_mark)) {
      offer.token = decode_hex(std::string_view(item).substr(hex_mark.size()));
    } else if (item.starts_with(plain_mark)) {
      offer.token = item.substr(plain_mark.size());
      echoed = item;
    }
  }
  if (offer.chosen.empty()) offer.chosen = echoed;
  return offer;
}

std::optional<Reply> handshake_refusal(const Request& request, bool upgrade) {
  if (!upgrade) return error_reply(400, "this is a WebSocket: an upgrade is required");
  if (!text::equal_ignoring_case(request.header("Upgrade").value_or(""), "websocket") ||
      request.header("Sec-WebSocket-Key").value_or("").empty()) {
    return error_reply(400, "malformed WebSocket handshake");
  }
  if (request.header("Sec-WebSocket-Version") == "13") return std::nullopt;
  Reply reply = error_reply(426, "this is a WebSocket of version 13");
  reply.headers.emplace_back("Sec-WebSocket-Version", "13");
  return reply;
}

}  // namespace molecule::server

#pragma once

#include <optional>
#include <string>

#include "server/http/message.hpp"

namespace molecule::server {

/// What a browser offers as WebSocket subprotocols (page.md 1.12), because it cannot set header
/// fields there.
struct SocketOffer {
  /// The token of an item `molecule-auth.<hex>` or `bearer.<token>`; empty text if it is misspelt.
  std::optional<std::string> token = std::nullopt;
  /// The one to choose, since a browser gives up otherwise; empty if there is none.
  std::string chosen = {};
};

/// Reads Sec-WebSocket-Protocol.
SocketOffer socket_offer(const Request& request);

/// The answer to a request for /ws that is no handshake of RFC 6455; 426 for another version.
/// `upgrade` says what its Connection field asks for.
std::optional<Reply> handshake_refusal(const Request& request, bool upgrade);

}  // namespace molecule::server

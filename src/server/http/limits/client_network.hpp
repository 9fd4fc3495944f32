#pragma once

#include <asio/ip/address.hpp>

namespace molecule::server {

/// What counts as one client where a client is known by its address only: an IPv4 address, also
/// where it is written as an IPv6 one, or the first 64 bits of an IPv6 address, within which one
/// machine may use any.
asio::ip::address client_network(const asio::ip::address& address);

}  // namespace molecule::server

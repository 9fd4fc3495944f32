#include "server/http/limits/client_network.hpp"

#include <algorithm>

namespace molecule::server {

asio::ip::address client_network(const asio::ip::address& address) {
  if (!address.is_v6()) return address;
  const asio::ip::address_v6 whole = address.to_v6();
  if (whole.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, whole);
  constexpr std::size_t network_bytes = 8;
  asio::ip::address_v6::bytes_type bytes = whole.to_bytes();
  std::fill(bytes.begin() + network_bytes, bytes.end(), 0);
  // A link-local network is one for each interface.
  return asio::ip::address_v6(bytes, whole.scope_id());
}

}  // namespace molecule::server

#include "server/api/workspaces/push_url.hpp"

#include <algorithm>
#include <array>
#include <asio/ip/address.hpp>
#include <asio/ip/network_v4.hpp>
#include <asio/ip/network_v6.hpp>
#include <cctype>

#include "base/text/text.hpp"

namespace molecule::server {

namespace {

constexpr std::size_t max_url_bytes = 2048;

bool is_inside(const asio::ip::address_v4& address, const char* range) {
  const asio::ip::network_v4 network = asio::ip::make_network_v4(range);
  return asio::ip::network_v4(address, network.prefix_length()).canonical() == network;
}

bool is_inside(const asio::ip::address_v6& address, const char* range) {
  const asio::ip::network_v6 network = asio::ip::make_network_v6(range);
  return asio::ip::network_v6(address, network.prefix_length()).canonical() == network;
}

bool is_blocked(const asio::ip::address_v4& address) {
  constexpr std::array ranges = {"0.0.0.0/8",      "10.0.0.0/8",     "100.64.0.0/10",
                                 "127.0.0.0/8",    "169.254.0.0/16", "172.16.0.0/12",
                                 "192.0.2.0/24",   "192.168.0.0/16", "198.51.100.0/24",
                                 "203.0.113.0/24", "224.0.0.0/4",    "255.255.255.255/32"};
  return std::any_of(ranges.begin(), ranges.end(),
                     [&address](const char* range) { return is_inside(address, range); });
}

bool is_blocked(const asio::ip::address_v6& address) {
  constexpr std::array ranges = {"::/128",    "::1/128",  "fc00::/7",
                                 "fe80::/10", "ff00::/8", "2001:db8::/32"};
  if (address.is_v4_mapped()) {
    return is_blocked(asio::ip::make_address_v4(asio::ip::v4_mapped, address));
  }
  return std::any_of(ranges.begin(), ranges.end(),
                     [&address](const char* range) { return is_inside(address, range); });
}

/// Names whose last label is a number are IPv4 addresses to browsers and resolvers, in spellings
/// (hexadecimal, octal, without dots) that `make_address` does not read.
bool is_odd_number(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string_view label = host.substr(host.rfind('.') + 1);
  if (label.starts_with("0x")) return true;
  return label.find_first_not_of("0123456789") == std::string_view::npos;
}

/// The part between the scheme and the port or path, brackets included; empty if there is none.
std::string_view host_of(std::string_view rest) {
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (rest.find('@') != std::string_view::npos) return {};
  if (!rest.starts_with('[')) return rest.substr(0, rest.find(':'));
  const std::size_t end = rest.find(']');
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end + 1);
}

}  // namespace

std::optional<std::string> push_url_problem(std::string_view url) {
  if (url.empty()) return "url is required for push-mode workspaces";
  const std::string lower = text::lower(url);
  const bool clean = std::none_of(lower.begin(), lower.end(),
                                  [](unsigned char c) { return c <= ' ' || c >= 0x7F; });
  if (lower.size() > max_url_bytes || !clean) return "url is not valid";
  std::string_view rest = lower;
  if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else {
    return "url must begin with http:// or https://";
  }
  std::string_view host = host_of(rest);
  if (host.empty()) return "url has no host";
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  asio::error_code failure;
  const asio::ip::address address = asio::ip::make_address(host, failure);
  if (failure) {
    if (is_odd_number(host)) return "url has a malformed address";
    return std::nullopt;
  }
  const bool blocked = address.is_v4() ? is_blocked(address.to_v4()) : is_blocked(address.to_v6());
  if (blocked) return "url points at a blocked address range";
  return std::nullopt;
}

}  // namespace molecule::server

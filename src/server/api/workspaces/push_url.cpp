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
  constexpr std::array ranges = {
      "0.0.0.0/8",       "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",    "169.254.0.0/16",
      "172.16.0.0/12",   "192.0.0.0/24",   "192.0.2.0/24",  "192.168.0.0/16", "198.18.0.0/15",
      "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",   "240.0.0.0/4"};
  return std::any_of(ranges.begin(), ranges.end(),
                     [&address](const char* range) { return is_inside(address, range); });
}

/// An IPv4 address inside an IPv6 one, which some router or system turns back into it.
asio::ip::address_v4 embedded(const asio::ip::address_v6& address, std::size_t first_byte) {
  const asio::ip::address_v6::bytes_type bytes = address.to_bytes();
  asio::ip::address_v4::bytes_type four{};
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(first_byte), four.size(), four.begin());
  return asio::ip::address_v4(four);
}

bool is_blocked(const asio::ip::address_v6& address) {
  // Local-use NAT64 and Teredo reach addresses that cannot be told from here.
  constexpr std::array ranges = {"::1/128",   "fc00::/7",       "fe80::/10", "fec0::/10",
                                 "ff00::/8",  "2001:db8::/32",  "3fff::/20", "100::/64",
                                 "2001::/32", "64:ff9b:1::/48", "5f00::/16"};
  struct Embedding {
    const char* range;
    std::size_t first_byte;
  };
  // IPv4-compatible, mapped, translated, NAT64, 6to4.
  constexpr std::array embeddings = {Embedding{"::/96", 12}, Embedding{"::ffff:0:0/96", 12},
                                     Embedding{"::ffff:0:0:0/96", 12},
                                     Embedding{"64:ff9b::/96", 12}, Embedding{"2002::/16", 2}};
  for (const Embedding& embedding : embeddings) {
    if (!is_inside(address, embedding.range)) continue;
    if (is_blocked(embedded(address, embedding.first_byte))) return true;
  }
  return std::any_of(ranges.begin(), ranges.end(),
                     [&address](const char* range) { return is_inside(address, range); });
}

/// Names whose last label is a number are IPv4 addresses to browsers and resolvers, in spellings
/// (hexadecimal, octal, without dots) that `make_address` does not read.
bool is_odd_number(std::string_view host) {
  std::string_view label = host.substr(host.rfind('.') + 1);
  if (label.starts_with("0x")) return true;
  return label.find_first_not_of("0123456789") == std::string_view::npos;
}

/// `localhost` is a name that the platform allows; the same in other spellings is not.
bool is_disguised_localhost(std::string_view host) {
  return host != "localhost" && (host.ends_with(".localhost") || host == "localhost.localdomain" ||
                                 host == "ip6-localhost" || host == "ip6-loopback");
}

/// What names consist of: other characters are read in several ways, or not at all.
bool is_name(std::string_view host) {
  return host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._") ==
             std::string_view::npos &&
         host.find("..") == std::string_view::npos && !host.starts_with('.');
}

/// A port, if there is one, is a number.
bool has_good_port(std::string_view authority, std::string_view host) {
  const std::string_view port = authority.substr(host.size());
  return port.empty() || (port.size() <= 6 && port.starts_with(':') &&
                          port.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

/// The part between the scheme and the port or path, brackets included; empty when there is none.
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
  // Browsers take a backslash for a slash.
  if (rest.find('\\') != std::string_view::npos ||
      !has_good_port(rest.substr(0, rest.find_first_of("/?#")), host)) {
    return "url is not valid";
  }
  const bool bracketed = host.starts_with('[');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.find('%') != std::string_view::npos) return "url has a malformed address";
  // The same name, fully qualified.
  if (!bracketed && host.ends_with('.')) {
    host.remove_suffix(1);
    if (host == "localhost") return "url points at a blocked address range";
  }
  asio::error_code failure;
  const asio::ip::address address = asio::ip::make_address(host, failure);
  if (failure) {
    if (bracketed || !is_name(host) || is_odd_number(host)) return "url has a malformed address";
    if (is_disguised_localhost(host)) return "url points at a blocked address range";
    return std::nullopt;
  }
  if (address.is_v6() != bracketed) return "url has a malformed address";
  const bool blocked = address.is_v4() ? is_blocked(address.to_v4()) : is_blocked(address.to_v6());
  if (blocked) return "url points at a blocked address range";
  return std::nullopt;
}

}  // namespace molecule::server

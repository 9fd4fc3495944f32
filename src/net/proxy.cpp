#include "net/proxy.hpp"

#include <asio/ip/address.hpp>
#include <asio/ip/network_v4.hpp>
#include <asio/ip/network_v6.hpp>
#include <cstdlib>
#include <initializer_list>
#include <system_error>

#include "base/text/text.hpp"

namespace molecule::net {

namespace {

/// The value of the first of these variables that is not empty.
std::string variable(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

/// The form for comparisons: lower case, without brackets, zone and trailing dot.
std::string plain(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  host = host.substr(0, host.find('%'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return text::lower(host);
}

bool is_in_network(const asio::ip::address& address, const std::string& network) {
  std::error_code error;
  if (address.is_v4()) {
    const auto found = asio::ip::make_network_v4(network, error);
    return !error &&
           found.canonical() ==
               asio::ip::make_network_v4(address.to_v4(), found.prefix_length()).canonical();
  }
  const auto found = asio::ip::make_network_v6(network, error);
  return !error &&
         found.canonical() ==
             asio::ip::make_network_v6(address.to_v6(), found.prefix_length()).canonical();
}

bool matches(const std::string& host, std::string_view entry) {
  std::error_code error;
  const asio::ip::address address = asio::ip::make_address(host, error);
  const std::size_t slash = entry.find('/');
  if (!error && slash != std::string_view::npos) {
    return is_in_network(address, plain(entry.substr(0, slash)) + std::string(entry.substr(slash)));
  }
  if (entry.starts_with('.')) entry.remove_prefix(1);
  const std::string name = plain(entry);
  if (name.empty() || host == name) return !name.empty();
  // An address has no parent domains.
  return error && host.ends_with('.' + name);
}

bool is_excluded(const std::string& host) {
  std::string list = variable({"no_proxy", "NO_PROXY"});
  if (text::trim(list) == "*") return true;
  for (char& c : list) {
    if (c == ' ' || c == '\t') c = ',';
  }
  for (const std::string& entry : text::split_list(list, ',')) {
    if (matches(host, entry)) return true;
  }
  return false;
}

}  // namespace

bool is_loopback(std::string_view given) {
  const std::string host = plain(given);
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  std::error_code error;
  asio::ip::address address = asio::ip::make_address(host, error);
  if (error) return false;
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  // The unspecified address also reaches this machine.
  return address.is_loopback() || address.is_unspecified();
}

std::string proxy_for(std::string_view scheme, std::string_view host) {
  // HTTP_PROXY in capitals is not read: in a CGI program a "Proxy:" header field would set it.
  std::string proxy =
      scheme == "https" ? variable({"https_proxy", "HTTPS_PROXY"}) : variable({"http_proxy"});
  if (proxy.empty()) proxy = variable({"all_proxy", "ALL_PROXY"});
  if (proxy.empty() || is_excluded(plain(host))) return {};
  if (is_loopback(host) && variable({"MOLECULE_PROXY_LOOPBACK"}).empty()) return {};
  return proxy;
}

std::string proxy_name(std::string_view proxy) {
  const std::size_t mark = proxy.find("://");
  const std::size_t begin = mark == std::string_view::npos ? 0 : mark + 3;
  std::string_view authority = proxy.substr(begin);
  authority = authority.substr(0, authority.find('/'));
  const std::size_t at = authority.rfind('@');
  if (at != std::string_view::npos) authority.remove_prefix(at + 1);
  return text::one_line(std::string(proxy.substr(0, begin)) + std::string(authority));
}

}  // namespace molecule::net

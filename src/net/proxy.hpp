#pragma once

#include <string>
#include <string_view>

namespace molecule::net {

/// The environment's proxy for a host, or "": `http_proxy`, `https_proxy`, `all_proxy` and
/// `no_proxy` as curl reads them. Loopback addresses (localhost, 127.0.0.0/8, ::1) use no proxy,
/// because a proxy would reach its own machine, unless MOLECULE_PROXY_LOOPBACK is set.
std::string proxy_for(std::string_view scheme, std::string_view host);

/// The proxy for messages: without user name and password.
std::string proxy_name(std::string_view proxy);

bool is_loopback(std::string_view host);

}  // namespace molecule::net

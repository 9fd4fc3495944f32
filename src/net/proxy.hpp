#pragma once

#include <string>
#include <string_view>

namespace molecule::net {

/// The proxy that the environment names for a host, or nothing: `http_proxy`, `https_proxy`,
/// `all_proxy`, but for what `no_proxy` lists, read as curl reads them. This machine itself
/// (localhost, 127.0.0.0/8, ::1) is reached without one, which cannot see it, unless
/// MOLECULE_PROXY_LOOPBACK is set.
std::string proxy_for(std::string_view scheme, std::string_view host);

/// How messages call it: without a user name and a password.
std::string proxy_name(std::string_view proxy);

bool is_loopback(std::string_view host);

}  // namespace molecule::net

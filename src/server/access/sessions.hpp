#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "server/api/context.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

// The logins of the person's browsers (page.md 1): a one-time code or the admin token is exchanged
// for a session, whose secret is a cookie. Of codes and cookies only the SHA-256 is stored.

inline constexpr std::chrono::microseconds code_lifetime = std::chrono::minutes(10);
/// After its last use.
inline constexpr std::chrono::microseconds session_lifetime = std::chrono::hours(24 * 30);

/// A session that was just made, with the cookie's value.
struct NewSession {
  std::string id;
  std::string secret;
};

/// Stores a code that can be used once; returns it.
awaitable<std::string> mint_login_code(store::Session& store, std::int64_t now);
/// Uses a code up. False for an unknown, used or expired one.
awaitable<bool> use_login_code(Context& context, std::string_view code);

/// Makes a session for the browser that calls itself `user_agent`.
awaitable<NewSession> create_session(Context& context, std::string_view user_agent);

/// The value of this platform's cookie; empty if there is none, or if the request has an
/// Authorization field, which alone counts then (page.md 1.9).
std::optional<std::string_view> session_cookie(const Context& context, const Request& request);
/// The live session whose cookie that is, which counts as a use of it. Empty if there is none.
awaitable<std::optional<std::string>> find_session(Context& context, std::string_view cookie);

/// The Set-Cookie field's value that gives the browser `secret`, or takes it away if that is empty.
/// `request` tells whether the browser came by https (page.md 1.5).
std::string set_cookie(const Context& context, const Request& request, std::string_view secret);

/// True if the request comes from the platform's own page or one of an allowed origin
/// (page.md 1.10). The gate has refused other origins.
bool has_trusted_origin(const Request& request);

/// Writes that these sessions were used, and deletes what has expired.
awaitable<void> keep_sessions(Context& context, const std::set<std::string>& used,
                              std::int64_t now);

}  // namespace molecule::server

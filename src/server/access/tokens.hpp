#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "server/access/caller.hpp"
#include "server/api/context.hpp"

namespace molecule::server {

// The workspaces' tokens (platform-api.md 0.1): only their SHA-256 is stored.

/// Looks up a token; `token_caller` reads the rows. Two functions, because a coroutine around both
/// would cost every request another frame.
awaitable<store::Rows> find_token(Context& context, std::string_view token);
/// The workspace whose token was found. Empty if the token is unknown or revoked, or its workspace
/// was removed.
std::optional<Caller> token_caller(Context& context, store::Rows rows);
/// True if the workspace has a token that is not revoked, whatever the workspace's status.
awaitable<bool> has_live_token(store::Session& store, std::string_view workspace_id);

/// Hexadecimal, lower case.
std::string sha256_hex(std::string_view input);

/// Creates and stores a token; returns its plaintext.
awaitable<std::string> mint_token(Context& context, std::string_view workspace_id);
/// Revokes all tokens of a workspace.
awaitable<void> revoke_tokens(Context& context, std::string_view workspace_id);
/// The inbound secret (platform-api.md 1.1), created if there is none. Empty if that fails, which
/// must not fail the request.
awaitable<std::optional<std::string>> inbound_secret(Context& context,
                                                     std::string_view workspace_id);

}  // namespace molecule::server

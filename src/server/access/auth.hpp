#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "server/api/context.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

// Who may do what (platform-api.md 0.1 to 0.4, fail closed). Each check gives the refusal to
// answer with, or nothing where the request may go on.

/// 0.2: the admin token, or a live token bound to `workspace_id`.
std::optional<Reply> workspace_auth(Context& context, const Request& request,
                                    std::string_view workspace_id);
/// The admin token, or any live token.
std::optional<Reply> any_token_auth(Context& context, const Request& request);
/// 0.3: the admin token only.
std::optional<Reply> admin_auth(Context& context, const Request& request);
/// 0.4 without the open door: a live token bound to `workspace_id` (401 for unknown and removed
/// workspaces, section 9).
std::optional<Reply> registry_gate(Context& context, const Request& request,
                                   std::string_view workspace_id);

/// The caller of /a2a: a workspace's id, or nothing for the human (admin token). Anonymous
/// callers are refused (section 9: authenticated human access); X-Workspace-ID, if sent, must
/// equal the token's workspace (section 10).
Result<std::optional<std::string>, Reply> a2a_caller(Context& context, const Request& request);

/// The workspace whose live token this is; nothing for a revoked one, or a removed workspace's.
std::optional<std::string> token_owner(Context& context, std::string_view token);
/// Whether any token of that workspace was not revoked (0.1), whatever the workspace's status.
bool has_live_token(Context& context, std::string_view workspace_id);

/// Hexadecimal, lower case.
std::string sha256_hex(std::string_view input);

/// Mints and stores a token, gives its plaintext (0.1: only its SHA-256 is kept).
std::string mint_token(Context& context, std::string_view workspace_id);
/// Revokes all tokens of a workspace.
void revoke_tokens(Context& context, std::string_view workspace_id);
/// The inbound secret, minted where missing (1.1); nothing where that fails, which must not fail
/// the request.
std::optional<std::string> inbound_secret(Context& context, std::string_view workspace_id);

}  // namespace molecule::server

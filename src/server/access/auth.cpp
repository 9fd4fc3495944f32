#include "server/access/auth.hpp"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

#include "base/log.hpp"
#include "base/random.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"

namespace molecule::server {

namespace {

bool is_admin(const Context& context, std::string_view token) {
  return !context.admin_token.empty() && text::equal_constant_time(token, context.admin_token);
}

/// Every refusal of a token reads the same, whatever is wrong with it.
std::optional<Reply> require_bound(Context& context, std::string_view token,
                                   std::string_view workspace_id) {
  const std::optional<std::string> owner = token_owner(context, token);
  if (owner && text::equal_ignoring_case(*owner, workspace_id)) return std::nullopt;
  return error_reply(401, "invalid workspace auth token");
}

}  // namespace

std::string sha256_hex(std::string_view input) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(input.data(), input.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 is not available");
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += digits[digest[i] >> 4];
    hex += digits[digest[i] & 0x0F];
  }
  return hex;
}

std::optional<std::string> token_owner(Context& context, std::string_view token) {
  // Looked up by hash, so that the duration tells nothing about a stored token.
  auto row = context.database.prepare(
      "SELECT t.id, t.workspace_id FROM workspace_tokens t JOIN workspaces w"
      " ON w.id = t.workspace_id"
      " WHERE t.hash = ?1 AND t.revoked_at IS NULL AND w.status != 'removed'");
  row.bind(sha256_hex(token));
  if (!row.step()) return std::nullopt;
  context.tokens_used.insert(row.string(0));
  return row.string(1);
}

bool has_live_token(Context& context, std::string_view workspace_id) {
  auto row = context.database.prepare(
      "SELECT 1 FROM workspace_tokens WHERE workspace_id = ?1 AND revoked_at IS NULL LIMIT 1");
  row.bind(workspace_id);
  return row.step();
}

std::optional<Reply> workspace_auth(Context& context, const Request& request,
                                    std::string_view workspace_id) {
  const std::optional<std::string_view> token = request.bearer();
  if (!token) return error_reply(401, "missing workspace auth token");
  if (is_admin(context, *token)) return std::nullopt;
  return require_bound(context, *token, workspace_id);
}

std::optional<Reply> any_token_auth(Context& context, const Request& request) {
  const std::optional<std::string_view> token = request.bearer();
  if (!token) return error_reply(401, "missing workspace auth token");
  if (is_admin(context, *token) || token_owner(context, *token)) return std::nullopt;
  return error_reply(401, "invalid workspace auth token");
}

std::optional<Reply> admin_auth(Context& context, const Request& request) {
  const std::optional<std::string_view> token = request.bearer();
  if (!token) return error_reply(401, "admin auth required");
  if (is_admin(context, *token)) return std::nullopt;
  return error_reply(401, "invalid admin auth token");
}

std::optional<Reply> registry_gate(Context& context, const Request& request,
                                   std::string_view workspace_id) {
  const std::optional<std::string_view> token = request.bearer();
  if (!token) return error_reply(401, "missing workspace auth token");
  return require_bound(context, *token, workspace_id);
}

Result<std::optional<std::string>, Reply> a2a_caller(Context& context, const Request& request) {
  const std::optional<std::string_view> claimed = request.header("X-Workspace-ID");
  for (const std::string_view kind : {"webhook:", "system:", "test:", "channel:"}) {
    if (claimed && claimed->starts_with(kind)) {
      return Failure{error_reply(403, "invalid caller ID")};
    }
  }
  const std::optional<std::string_view> token = request.bearer();
  if (!token) return Failure{error_reply(401, "missing caller auth token")};
  if (is_admin(context, *token)) {
    // The human speaks as nobody else: a workspace's name needs that workspace's token.
    if (claimed && !claimed->empty()) {
      return Failure{error_reply(401, "caller ID does not match workspace auth token")};
    }
    return std::optional<std::string>();
  }
  std::optional<std::string> owner = token_owner(context, *token);
  if (!owner) return Failure{error_reply(401, "invalid caller auth token")};
  if (claimed && !claimed->empty() && !text::equal_ignoring_case(*owner, *claimed)) {
    return Failure{error_reply(401, "caller ID does not match workspace auth token")};
  }
  return owner;
}

std::string mint_token(Context& context, std::string_view workspace_id) {
  constexpr std::size_t prefix_characters = 8;
  std::string token = random_token();
  auto insert = context.database.prepare(
      "INSERT INTO workspace_tokens (id, workspace_id, hash, prefix, created_at)"
      " VALUES (?1, ?2, ?3, ?4, ?5)");
  insert
      .bind(random_uuid(), workspace_id, sha256_hex(token), token.substr(0, prefix_characters),
            now_micros(context))
      .run();
  return token;
}

void revoke_tokens(Context& context, std::string_view workspace_id) {
  auto update = context.database.prepare(
      "UPDATE workspace_tokens SET revoked_at = ?2"
      " WHERE workspace_id = ?1 AND revoked_at IS NULL");
  update.bind(workspace_id, now_micros(context)).run();
}

std::optional<std::string> inbound_secret(Context& context, std::string_view workspace_id) {
  try {
    auto row =
        context.database.prepare("SELECT platform_inbound_secret FROM workspaces WHERE id = ?1");
    row.bind(workspace_id);
    if (!row.step()) return std::nullopt;
    if (std::optional<std::string> secret = row.optional_string(0)) return secret;
    std::string minted = random_token();
    auto update = context.database.prepare(
        "UPDATE workspaces SET platform_inbound_secret = ?2 WHERE id = ?1");
    update.bind(workspace_id, minted).run();
    return minted;
  } catch (const sqlite::Error& error) {
    log::warning("the inbound secret of workspace {} could not be read or made: {}", workspace_id,
                 error.what());
    return std::nullopt;
  }
}

}  // namespace molecule::server

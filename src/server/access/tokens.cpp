#include "server/access/tokens.hpp"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

#include "base/log.hpp"
#include "base/random.hpp"

namespace molecule::server {

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

awaitable<store::Rows> find_token(Context& context, std::string_view token) {
  // Looked up by hash, so that the response time reveals nothing about a stored token.
  return context.store.query(
      "SELECT t.id, t.workspace_id FROM workspace_tokens t JOIN workspaces w"
      " ON w.id = t.workspace_id"
      " WHERE t.hash = $1 AND t.revoked_at IS NULL AND w.status != 'removed'",
      sha256_hex(token));
}

std::optional<Caller> token_caller(Context& context, store::Rows rows) {
  if (!rows.next()) return std::nullopt;
  Caller caller{
      .kind = Caller::Kind::workspace, .workspace_id = rows.string(1), .token_id = rows.string(0)};
  context.services.tokens_used.insert(caller.token_id);
  return caller;
}

awaitable<bool> has_live_token(store::Session& store, std::string_view workspace_id) {
  store::Rows row = co_await store.query(
      "SELECT 1 FROM workspace_tokens WHERE workspace_id = $1 AND revoked_at IS NULL LIMIT 1",
      workspace_id);
  co_return row.next();
}

awaitable<std::string> mint_token(Context& context, std::string_view workspace_id) {
  constexpr std::size_t prefix_characters = 8;
  std::string token = random_token();
  co_await context.store.execute(
      "INSERT INTO workspace_tokens (id, workspace_id, hash, prefix, created_at)"
      " VALUES ($1, $2, $3, $4, $5)",
      context.new_id(), workspace_id, sha256_hex(token), token.substr(0, prefix_characters),
      context.now_micros());
  context.events.changed(workspace_id, "tokens");
  co_return token;
}

awaitable<void> revoke_tokens(Context& context, std::string_view workspace_id) {
  co_await context.store.execute(
      "UPDATE workspace_tokens SET revoked_at = $2"
      " WHERE workspace_id = $1 AND revoked_at IS NULL",
      workspace_id, context.now_micros());
  context.events.changed(workspace_id, "tokens");
  context.tokens_revoked = true;
}

awaitable<std::optional<std::string>> inbound_secret(Context& context,
                                                     std::string_view workspace_id) {
  constexpr const char* kept = "SELECT platform_inbound_secret FROM workspaces WHERE id = $1";
  store::Rows row = co_await context.store.query(kept, workspace_id);
  if (!row.next()) co_return std::nullopt;
  if (!row.is_null(0)) co_return row.string(0);
  const bool written = co_await context.store.try_execute(
      "UPDATE workspaces SET platform_inbound_secret = $2"
      " WHERE id = $1 AND platform_inbound_secret IS NULL",
      workspace_id, random_token());
  if (written) {
    // Another instance may have been first.
    store::Rows own = co_await context.store.query(kept, workspace_id);
    if (own.next() && !own.is_null(0)) co_return own.string(0);
  }
  log::warning("the inbound secret of workspace {} could not be stored", workspace_id);
  co_return std::nullopt;
}

}  // namespace molecule::server

#pragma once

#include <optional>
#include <string>
#include <utility>

namespace molecule::server {

/// The sender of a request, as proven by its credential.
struct Caller {
  enum class Kind { nobody, admin, workspace };

  Kind kind = Kind::nobody;
  /// Empty unless it is a workspace.
  std::string workspace_id = {};
  /// The token that was used: a workspace's, or an organisation's if it is the admin. Empty for
  /// `ADMIN_TOKEN`.
  std::string token_id = {};
  /// The admin's session, where a cookie was used.
  std::string session_id = {};

  static Caller admin(std::string org_token_id = {}) {
    return {.kind = Kind::admin, .token_id = std::move(org_token_id)};
  }
  bool is_admin() const { return kind == Kind::admin; }
  /// Empty for the admin, which is not a workspace, and for a caller without a credential.
  std::optional<std::string> workspace() const {
    if (kind != Kind::workspace) return std::nullopt;
    return workspace_id;
  }
};

}  // namespace molecule::server

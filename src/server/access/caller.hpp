#pragma once

#include <optional>
#include <string>

namespace molecule::server {

/// The sender of a request, as proven by its credential.
struct Caller {
  enum class Kind { nobody, admin, workspace };

  Kind kind = Kind::nobody;
  /// Empty unless it is a workspace.
  std::string workspace_id = {};
  /// The workspace's token that was used.
  std::string token_id = {};
  /// The admin's session, where a cookie was used.
  std::string session_id = {};

  static Caller admin() { return {.kind = Kind::admin}; }
  bool is_admin() const { return kind == Kind::admin; }
  /// Empty for the admin, which is not a workspace, and for a caller without a credential.
  std::optional<std::string> workspace() const {
    if (kind != Kind::workspace) return std::nullopt;
    return workspace_id;
  }
};

}  // namespace molecule::server

#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/files/open.hpp"
#include "base/result.hpp"
#include "workspace/config/config.hpp"

namespace molecule::workspace {

/// True if the file holds the workspace's secrets or state, which are never sent to anybody.
bool is_own_file(const WorkspaceConfig& workspace, const files::Identity& file);

/// Resolves the token for every caller (molecule-mcp.md 2), and keeps the secrets in the state
/// folder.
class Credentials {
 public:
  Credentials(TokenSource source, std::filesystem::path state_folder);

  /// Reads the sources again; a problem is one line for people that names the source, never its
  /// content. A failed reload keeps the token there was.
  Result<void, std::string> reload();
  /// The same, and having no token at all is a problem too.
  Result<void, std::string> require();
  /// Empty if there is none yet.
  const std::string& token() const { return token_; }
  /// Where it came from, for people: a variable's name or a file's path.
  const std::string& token_source() const { return token_source_; }
  /// A warning, for people, about a token that is usable but doubtful; otherwise empty.
  std::string warning() const;

  /// The platform refuses the token: from now on `reload` prefers another source's, if one has
  /// another token.
  void refuse(std::string_view token);
  /// After `refuse` and `reload`: true if there is another token to try, which was not refused.
  bool has_other_than(std::string_view token) const;
  /// Where a new token is found without a restart.
  std::filesystem::path file_for_token() const;

  /// `auth_token` of a register reply: kept in `.auth_token` and used. The platform issues one only
  /// if the workspace has none, so one that was held is dead: its hash is kept, and it is not tried
  /// again before its source has another one.
  Result<void, std::string> keep_issued_token(const std::string& token);
  /// `platform_inbound_secret` of any reply: written if it differs.
  Result<void, std::string> keep_inbound_secret(const std::string& secret);

 private:
  Result<void, std::string> remember_dead(std::string_view token);

  TokenSource source_;
  std::filesystem::path state_folder_;
  std::string token_;
  std::string token_source_;
  /// Hashes.
  std::vector<std::string> refused_;
};

/// The file that MOLECULE_WORKSPACE_TOKEN_FILE names; empty if it is not set. The failure is a line
/// for people.
Result<std::filesystem::path, std::string> configured_token_file(const TokenSource& source);

}  // namespace molecule::workspace

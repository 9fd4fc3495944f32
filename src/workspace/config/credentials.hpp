#pragma once

#include <filesystem>
#include <string>

#include "base/files/open.hpp"
#include "base/result.hpp"
#include "workspace/config/config.hpp"

namespace molecule::workspace {

/// Whether the file holds the workspace's secrets or its state: none to be sent to anybody.
bool is_own_file(const WorkspaceConfig& workspace, const files::Identity& file);

/// The one resolver of the token, for every caller (molecule-mcp.md 2), and the keeper of the
/// secrets in the state folder.
class Credentials {
 public:
  Credentials(TokenSource source, std::filesystem::path state_folder);

  /// Reads the sources again; a problem is one line for people that names the source, never its
  /// content. A failed reload keeps the token there was.
  Result<void, std::string> reload();
  /// The same, and having no token at all is a problem too.
  Result<void, std::string> require();
  /// Empty where there is none yet.
  const std::string& token() const { return token_; }
  /// Where it came from, for people: a variable's name or a file's path.
  const std::string& token_source() const { return token_source_; }
  /// What is doubtful about a token that can be used, for people; empty where nothing is.
  std::string warning() const;

  /// `auth_token` of a register reply: kept (`.auth_token`) only where there was none.
  Result<void, std::string> keep_issued_token(const std::string& token);
  /// `platform_inbound_secret` of any reply: written where it differs.
  Result<void, std::string> keep_inbound_secret(const std::string& secret);

 private:
  TokenSource source_;
  std::filesystem::path state_folder_;
  std::string token_;
  std::string token_source_;
};

}  // namespace molecule::workspace

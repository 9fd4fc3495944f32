#pragma once

#include <filesystem>
#include <string>

#include "molecule/base/result.hpp"
#include "molecule/workspace/config.hpp"

namespace molecule::workspace {

/// The one resolver of the token, for every caller (molecule-mcp.md 2), and the keeper of the
/// secrets in the state folder.
class Credentials {
 public:
  Credentials(TokenSource source, std::filesystem::path state_folder);

  /// Reads the sources again; a problem is one line for people that names the source, never its
  /// content. A failed reload keeps the token there was.
  Result<void, std::string> reload();
  /// Empty where there is none yet.
  const std::string& token() const { return token_; }

  /// `auth_token` of a register reply: kept (`.auth_token`) only where there was none.
  Result<void, std::string> keep_issued_token(const std::string& token);
  /// `platform_inbound_secret` of any reply: written where it differs.
  Result<void, std::string> keep_inbound_secret(const std::string& secret);

 private:
  TokenSource source_;
  std::filesystem::path state_folder_;
  std::string token_;
};

}  // namespace molecule::workspace

#include <string>

#include "base/text/redact.hpp"
#include "base/text/text.hpp"
#include "fuzz/targets.hpp"
#include "server/api/memory/memory_redaction.hpp"

namespace molecule::fuzz {

namespace {

void check(std::string_view input, std::string (*redact)(std::string_view),
           const std::string& name) {
  const std::string once = redact(input);
  require(redact(once) == once, name + " changes nothing the second time");
  require(!text::valid_utf8(input) || text::valid_utf8(once), name + " keeps UTF-8 valid");
}

}  // namespace

void redaction(std::string_view input) {
  check(input, redact_secrets, "redact_secrets");
  check(input, server::redact_memory, "redact_memory");
  // A secret is redacted wherever it stands.
  const std::string secret = "ghp_" + std::string(36, 'x');
  const std::string with_secret = std::string(input) + ' ' + secret;
  require(redact_secrets(with_secret).find(secret) == std::string::npos, "a secret is found");
}

}  // namespace molecule::fuzz

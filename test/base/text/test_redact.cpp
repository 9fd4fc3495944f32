#include <doctest/doctest.h>

#include <random>
#include <string>

#include "base/text/redact.hpp"

using molecule::redact_secrets;

namespace {
const std::string mark = "[REDACTED]";
std::string run(std::size_t length, char c = 'a') {
  return std::string(length, c);
}
}  // namespace

TEST_CASE("every pattern is redacted, and text just too short for it is not") {
  CHECK(redact_secrets("sk-" + run(20)) == mark);
  CHECK(redact_secrets("sk-" + run(10) + "_-" + run(30)) == mark);
  CHECK(redact_secrets("sk-" + run(19)) == "sk-" + run(19));
  for (const std::string prefix : {"ghp_", "ghs_"}) {
    CHECK(redact_secrets(prefix + run(36)) == mark);
    CHECK(redact_secrets(prefix + run(35)) == prefix + run(35));
    CHECK(redact_secrets(prefix + run(40)) == mark + run(4));
  }
  CHECK(redact_secrets("github_pat_" + run(82)) == mark);
  CHECK(redact_secrets("github_pat_" + run(81)) == "github_pat_" + run(81));
  CHECK(redact_secrets("AKIA" + run(16, 'Z')) == mark);
  CHECK(redact_secrets("AKIA" + run(15, 'Z')) == "AKIA" + run(15, 'Z'));
  CHECK(redact_secrets("AKIA" + run(16, 'z')) == "AKIA" + run(16, 'z'));
}

TEST_CASE("assignments keep their keyword") {
  for (const std::string keyword : {"api_key", "key", "token", "secret", "password", "API_KEY",
                                    "Token", "my_secret", "MOLECULE_WORKSPACE_TOKEN"}) {
    CAPTURE(keyword);
    CHECK(redact_secrets(keyword + " = " + run(40)) == keyword + " = " + mark);
    CHECK(redact_secrets(keyword + "=" + run(38) + "+/=") == keyword + "=" + mark);
    CHECK(redact_secrets(keyword + " = " + run(39)) == keyword + " = " + run(39));
    CHECK(redact_secrets(keyword + " " + run(40)) == keyword + " " + run(40));
  }
  CHECK(redact_secrets("name = " + run(40)) == "name = " + run(40));
}

TEST_CASE("several secrets within a text are all redacted") {
  CHECK(redact_secrets("use sk-" + run(24) + " or AKIA" + run(16, '7') + ", then go") ==
        "use " + mark + " or " + mark + ", then go");
  CHECK(redact_secrets("\xC3\xA9sk-" + run(24) + "\xC3\xA9") == "\xC3\xA9" + mark + "\xC3\xA9");
  CHECK(redact_secrets("") == "");
  CHECK(redact_secrets("plain text, sk-short, token = x") == "plain text, sk-short, token = x");
}

TEST_CASE("redacting twice changes nothing") {
  std::mt19937 random(7);
  const std::string pieces[] = {"sk-",   "ghp_",  "ghs_",  "github_pat_", "AKIA", "token", "key",
                                " = ",   "=",     " ",     "secret",      mark,   "]",     run(20),
                                run(36), run(40), run(82), run(16, 'Z'),  "\n",   "api_"};
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (auto n = random() % 10; n > 0; --n) text += pieces[random() % std::size(pieces)];
    const std::string once = redact_secrets(text);
    CAPTURE(text);
    REQUIRE(redact_secrets(once) == once);
  }
}

#include <doctest/doctest.h>

#include <string>

#include "base/json/reader.hpp"
#include "base/sha256.hpp"
#include "daemon/config/handler_table.hpp"
#include "daemon/prompt.hpp"

using namespace molecule;
using namespace molecule::daemon;

TEST_CASE("prompt: text of others is one line of JSON without @") {
  Incoming incoming;
  incoming.message.kind = "peer_agent";
  incoming.message.peer_name = "@/etc/passwd";
  incoming.message.text = "/cost\n@../x \xE2\x80\xAE{\"a\":1}";
  const std::string prompt = agent_prompt(incoming, true);
  CHECK(prompt.starts_with("A message for your Molecule workspace, from a peer agent"));
  CHECK(prompt.find('@') == std::string::npos);
  const std::size_t begin = prompt.find("\n{") + 1;
  json::Document document;
  const auto parsed = document.parse(prompt.substr(begin, prompt.find('\n', begin) - begin));
  REQUIRE(parsed);
  CHECK((*parsed)["text"].string() == "/cost\n@../x {\"a\":1}");
  CHECK((*parsed)["peer_name"].string() == "@/etc/passwd");
}

TEST_CASE("webhook: https, or http on this machine only") {
  for (const char* good : {"https://example.org/x?y=1", "http://127.0.0.1:8080/", "http://[::1]",
                           "http://localhost/x"}) {
    CHECK_MESSAGE(is_webhook_url(good), good);
  }
  for (const char* bad : {"", "https://", "http://example.org", "http://localhost.example.org",
                          "http://127.0.0.1:80x/", "https://user:pw@example.org",
                          "https://example.org/ x", "file:///etc/passwd", "http://127.0.0.1\\@x"}) {
    CHECK_MESSAGE(!is_webhook_url(bad), bad);
  }
}

TEST_CASE("hmac: the vectors of RFC 4231") {
  CHECK(hmac_sha256(std::string(20, '\x0b'), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hmac_sha256("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hmac_sha256(std::string(131, '\xaa'),
                    "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

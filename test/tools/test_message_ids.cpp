#include <doctest/doctest.h>

#include <set>
#include <string>

#include "molecule/base/random.hpp"
#include "tools/message_ids.hpp"

using namespace molecule;
using tools::derived_uuid;

TEST_CASE("message ids: derived ones are the same for the same texts only") {
  CHECK(derived_uuid("a message", "an answer") == derived_uuid("a message", "an answer"));
  std::set<std::string> seen;
  for (int i = 0; i < 20'000; ++i) {
    const std::string id = derived_uuid("message " + std::to_string(i % 100), std::to_string(i));
    REQUIRE(is_uuid(id));
    CHECK(id[14] == '8');
    CHECK(std::string("89ab").find(id[19]) != std::string::npos);
    seen.insert(id);
  }
  CHECK(seen.size() == 20'000);
}

TEST_CASE("message ids: where the first text ends counts") {
  CHECK(derived_uuid("ab", "c") != derived_uuid("a", "bc"));
  CHECK(derived_uuid("", "abc") != derived_uuid("abc", ""));
}

#include <doctest/doctest.h>

#include "base/json/reader.hpp"
#include "base/toml.hpp"

using namespace molecule;

TEST_CASE("toml: every type becomes JSON") {
  const auto json =
      toml_to_json("a = 1\nb = 1.5\nc = \"x\\ny\"\nd = [true, 2026-01-02]\n[t.\"u v\"]\ne = inf\n");
  REQUIRE(json);
  json::Document document;
  const auto root = document.parse(*json);
  REQUIRE(root);
  CHECK((*root)["a"].integer() == 1);
  CHECK((*root)["b"].number() == 1.5);
  CHECK((*root)["c"].string() == "x\ny");
  CHECK((*root)["d"].dump() == R"([true,"2026-01-02"])");
  CHECK((*root)["t"]["u v"]["e"].is_null());
}

TEST_CASE("toml: an error names the place") {
  const auto json = toml_to_json("a = 1\nb = [1,\n");
  REQUIRE(!json);
  CHECK(json.error().find("line 2") != std::string::npos);
  CHECK(!toml_to_json("a = \"\xFF\""));
}

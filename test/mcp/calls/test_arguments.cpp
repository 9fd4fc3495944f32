#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "molecule/mcp/arguments.hpp"

namespace molecule::mcp {

TEST_CASE("arguments are read, defaulted and clamped") {
  json::Document document;
  Arguments arguments(*document.parse(
      R"({"s":"x","e":"","n":7,"big":1e300,"small":-5,"whole":5.0,"null":null,"l":["a","b"],"z":0.5})"));
  CHECK(arguments.string("s") == "x");
  CHECK(arguments.string("e").empty());
  CHECK(arguments.text("s") == "x");
  CHECK(arguments.string_or("null", "d") == "d");
  CHECK(arguments.string_or("absent", "d") == "d");
  CHECK(arguments.string_or("s", "d") == "x");
  CHECK(arguments.integer("n", 1, 0, 100) == 7);
  CHECK(arguments.integer("big", 1, 0, 100) == 100);
  CHECK(arguments.integer("small", 1, 0, 100) == 0);
  CHECK(arguments.integer("whole", 1, 0, 100) == 5);
  CHECK(arguments.integer("absent", 1, 0, 100) == 1);
  CHECK(arguments.number("z", 1, 0, 100) == 0.5);
  CHECK(arguments.number("n", 1, 0, 5) == 5);
  CHECK(arguments.strings("l") == std::vector<std::string>{"a", "b"});
  CHECK(arguments.strings("null").empty());
  CHECK_FALSE(arguments.rejection());
}

TEST_CASE("fault A11: what models write in place of a value is taken as what it means") {
  json::Document document;
  Arguments arguments(*document.parse(
      R"({"n":"5","f":" 5.0 ","d":"0.5","big":"1e300","blank":"","null":"null","t":"True",)"
      R"("no":"no","one":1,"list":"[]","paths":"[\"a\",\"b\"]",)"
      R"("object":"{\"name\":\"x\"}","nothing":null})"));
  CHECK(arguments.integer("n", 1, 0, 100) == 5);
  CHECK(arguments.integer("f", 1, 0, 100) == 5);
  CHECK(arguments.integer("big", 1, 0, 100) == 100);
  CHECK(arguments.integer("blank", 1, 0, 100) == 1);
  CHECK(arguments.integer("null", 1, 0, 100) == 1);
  CHECK(arguments.number("d", 1, 0, 100) == 0.5);
  CHECK(arguments.number("blank", 7, 0, 100) == 7);
  CHECK(arguments.boolean("t", false));
  CHECK_FALSE(arguments.boolean("no", true));
  CHECK(arguments.boolean("one", false));
  CHECK(arguments.boolean("blank", true));
  CHECK(arguments.boolean("absent", true));
  CHECK(arguments.strings("list").empty());
  CHECK(arguments.strings("blank").empty());
  CHECK(arguments.strings("paths") == std::vector<std::string>{"a", "b"});
  CHECK(arguments.object("object")["name"].string_or("") == "x");
  CHECK(arguments.string_or("nothing", "d") == "d");
  CHECK_FALSE(arguments.rejection());
}

TEST_CASE("every problem is reported at once") {
  json::Document document;
  Arguments arguments(*document.parse(
      R"({"a":7,"b":" ","c":"x","d":1.5,"e":["a",1],"f":{},"g":true,"i":"maybe","j":"[]","k":""})"));
  (void)arguments.string("a");
  (void)arguments.text("b");
  (void)arguments.string("missing");
  (void)arguments.integer("c", 1, 0, 2);
  (void)arguments.integer("d", 1, 0, 2);
  CHECK(arguments.strings("e").empty());
  (void)arguments.strings("f");
  (void)arguments.number("g", 1, 0, 2);
  (void)arguments.boolean("i", false);
  (void)arguments.object("j");
  (void)arguments.object("k");
  arguments.reject("h", "must be a UUID");
  const auto rejection = arguments.rejection();
  REQUIRE(rejection);
  CHECK(rejection->is_error);
  CHECK(
      rejection->text ==
      "Invalid arguments: `a` must be a string; `b` must not be empty; `missing` is required; "
      "`c` must be a whole number; `d` must be a whole number; `e` must be an array of strings; "
      "`f` must be an array of strings; `g` must be a number; `i` must be true or false; `j` must "
      "be an object; `k` is required; `h` must be a UUID.");
}

TEST_CASE("arguments that are not an object count as empty") {
  Arguments arguments{json::Value()};
  (void)arguments.string("a");
  CHECK(arguments.rejection());
}

}  // namespace molecule::mcp

// Edits of the configuration files of agent hosts: what is not ours stays byte for byte.
#include <doctest/doctest.h>

#include <string>

#include "cli/install/json_edit.hpp"
#include "cli/install/line_diff.hpp"

using molecule::cli::JsonDialect;
using molecule::cli::JsonEdit;

namespace {

constexpr JsonDialect relaxed{.trailing_commas = true, .json5 = true};

JsonEdit edit(const std::string& text, JsonDialect dialect = {}) {
  auto parsed = JsonEdit::parse(text, dialect);
  REQUIRE(parsed.ok());
  return std::move(*parsed);
}

std::string problem(const std::string& text, JsonDialect dialect = {}) {
  auto parsed = JsonEdit::parse(text, dialect);
  return parsed.ok() ? "" : parsed.error();
}

}  // namespace

TEST_CASE("a member is added to whatever is there") {
  for (const char* text :
       {"", "{}", "{ }", "{\n}\n", "{\"a\":1}", "{\n  \"a\": 1\n}\n", "{\n\t\"a\": 1 // why\n}\n",
        "{\n  \"a\": 1, /* x */\n  \"s\": {}\n}\n", "{\"s\":{\"b\":[1,{\"c\":2}]}}",
        "// first\n{\n  // inside\n}\n// last\n", "{\r\n  \"a\": 1\r\n}\r\n",
        "{\n  \"s\": {\n    \"b\": 1 // last\n  }\n}\n", "{\n  \"s\": { \"b\": 1 }\n}\n"}) {
    CAPTURE(text);
    JsonEdit one = edit(text);
    const auto before = one.get({});
    CHECK(one.set({"s", "ours"}, R"({"x":[1,2]})"));
    CHECK(edit(one.text()).get({"s", "ours"}) == R"({"x":[1,2]})");
    CHECK(edit(one.text()).get({"a"}) == edit(text).get({"a"}));
    CHECK(edit(one.text()).get({"s", "b"}) == edit(text).get({"s", "b"}));
    one.remove({"s", "ours"});
    if (one.get({"s"}) == "{}" && edit(text).get({"s"}) != "{}") one.remove({"s"});
    CHECK(one.get({}) == before);
  }
}

TEST_CASE("comments survive") {
  const std::string text =
      "{\n  // about a\n  \"a\": 1, // one\n  /* about s */\n  \"s\": {\n    \"b\": 1 // two\n    "
      "// end\n"
      "  }\n}\n";
  JsonEdit one = edit(text);
  CHECK(one.set({"s", "ours"}, "true"));
  for (const char* comment : {"// about a", "// one", "/* about s */", "// two", "// end"}) {
    CHECK(one.text().find(comment) != std::string::npos);
  }
  one.remove({"s", "ours"});
  CHECK(one.text() == text);
}

TEST_CASE("trailing commas stay where the host takes them, and are refused where it does not") {
  const std::string text = "{\n  \"a\": [1, 2,],\n}\n";
  CHECK(problem(text).find("line 2") != std::string::npos);
  JsonEdit one = edit(text, relaxed);
  CHECK(one.set({"b"}, "2"));
  CHECK(edit(one.text(), relaxed).get({}) == R"({"a":[1,2],"b":2})");
  one.remove({"a"});
  CHECK(edit(one.text(), relaxed).get({}) == R"({"b":2})");
}

TEST_CASE("JSON5's names and strings are read where they are allowed") {
  CHECK(edit("{a: 'x', \"b\": 1}", relaxed).get({}) == R"({"a":"x","b":1})");
  CHECK_FALSE(problem("{a: 1}").empty());
}

TEST_CASE("what cannot be parsed is refused, with the line") {
  for (const char* text :
       {"{", "}", "[]", "{\"a\" 1}", "{\"a\":}", "{\"a\":1 \"b\":2}", "{\"a\":tru}", "{} x",
        "{\"a\":\"", "{\"a\":01}", "/* open", "{\"a\":1}}", "{\"\\q\":1}", "\xEF\xBB\xBF{}",
        "{\"a\":\"\xFF\"}", "{\"a\":[1 2]}", "{\"a\":1,,}", "{,}"}) {
    CAPTURE(text);
    CHECK_FALSE(problem(text).empty());
  }
  CHECK(problem("{\n\n\"a\" 1}").find("line 3") != std::string::npos);
  CHECK_FALSE(problem(std::string(100'000, '[')).empty());
  CHECK_FALSE(problem("{\"a\":" + std::string(100'000, '[')).empty());
}

TEST_CASE("something else in the way is not replaced") {
  JsonEdit one = edit(R"({"s": 1, "l": {}})");
  CHECK_FALSE(one.set({"s", "x"}, "1"));
  CHECK_FALSE(one.append({"l"}, "1"));
  CHECK(one.text() == R"({"s": 1, "l": {}})");
}

TEST_CASE("elements are appended and removed") {
  JsonEdit one = edit("{\n  \"l\": [\n    1, // one\n    {\"ours\": 1}\n  ]\n}\n");
  CHECK(one.append({"l"}, R"({"ours":2})"));
  CHECK(one.get({"l"}) == R"([1,{"ours":1},{"ours":2}])");
  one.remove_items({"l"}, [](const std::string& item) { return item.find("ours") != item.npos; });
  CHECK(one.get({"l"}) == "[1]");
  CHECK(one.text().find("// one") != std::string::npos);
  one.remove_items({"l"}, [](const std::string&) { return true; });
  CHECK(one.get({"l"}) == "[]");
}

TEST_CASE("the same twice changes nothing") {
  JsonEdit one = edit("{\"a\": {\"b\":   [1,  2]}}");
  CHECK(one.set({"a", "b"}, "[1,2]"));
  CHECK(one.text() == "{\"a\": {\"b\":   [1,  2]}}");
}

TEST_CASE("a difference is shown by its lines") {
  const std::string diff = molecule::cli::line_diff("f", "a\nb\nc\n", "a\nx\nc\n");
  CHECK(diff == "--- f\n+++ f\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n");
  CHECK(molecule::cli::line_diff("f", "a\n", "a\n").empty());
}

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <string>

#include "base/json/reader.hpp"
#include "base/json/writer.hpp"
#include "base/text/text.hpp"

using namespace molecule;
using json::Array;
using json::Object;
using json::Writer;

TEST_CASE("scopes write objects and arrays") {
  Writer writer;
  {
    auto root = writer.object();
    root.field("s", "text");
    root.field("i", -5);
    root.field("u", std::size_t{7});
    root.field("n", 1.5);
    root.field("t", true);
    root.field("z", nullptr);
    root.nullable("none", std::optional<std::string>());
    root.nullable("some", std::optional<std::string>("x"));
    root.raw("raw", "[1, 2]");
    {
      auto list = root.array("list");
      list.value("a");
      list.value(1);
      list.raw("null");
      list.object().field("k", "v");
      list.array();
    }
    root.object("empty");
  }
  CHECK(writer.text() ==
        R"({"s":"text","i":-5,"u":7,"n":1.5,"t":true,"z":null,"none":null,"some":"x",)"
        R"("raw":[1, 2],"list":["a",1,null,{"k":"v"},[]],"empty":{}})");
}

TEST_CASE("a writer appends to a text") {
  Writer writer("data: ");
  writer.array().value(1);
  CHECK(std::move(writer).take() == "data: [1]");
}

TEST_CASE("strings are escaped, and invalid UTF-8 is repaired") {
  CHECK(json::quoted("") == "\"\"");
  CHECK(json::quoted("a\"b\\c\n\r\t") == R"("a\"b\\c\n\r\t")");
  CHECK(json::quoted(std::string_view("\0\x1f", 2)) == R"("\u0000\u001f")");
  CHECK(json::quoted("\x7f/\xE2\x80\xA8") == "\"\x7f/\xE2\x80\xA8\"");
  CHECK(json::quoted("a\xFFz") == "\"a\xEF\xBF\xBDz\"");
  CHECK(json::quoted("\"\xED\xA0\x80\n") == "\"\\\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\\n\"");
}

TEST_CASE("numbers that JSON cannot express become null") {
  Writer writer;
  {
    auto list = writer.array();
    list.value(std::numeric_limits<double>::infinity());
    list.value(std::numeric_limits<double>::quiet_NaN());
    list.value(std::numeric_limits<std::int64_t>::min());
    list.value(std::numeric_limits<std::int64_t>::max());
    list.value(std::numeric_limits<double>::max());
    list.value(std::numeric_limits<double>::denorm_min());
  }
  json::Document document;
  const auto items = document.parse(writer.text())->items();
  CHECK(items[0].is_null());
  CHECK(items[1].is_null());
  CHECK(items[2].integer() == std::numeric_limits<std::int64_t>::min());
  CHECK(items[3].integer() == std::numeric_limits<std::int64_t>::max());
  CHECK(items[4].number() == std::numeric_limits<double>::max());
  CHECK(items[5].number() == std::numeric_limits<double>::denorm_min());
}

namespace {

/// Writes a random tree and, from the same seed, checks what is read back.
class Tree {
 public:
  explicit Tree(unsigned seed) : random_(seed) {}

  void write(Object& parent, int depth) {
    for (int i = number(5); i > 0; --i) {
      const std::string name = key();
      switch (number(depth > 0 ? 7 : 5)) {
        case 0:
          parent.field(name, bytes());
          break;
        case 1:
          parent.field(name, integer());
          break;
        case 2:
          parent.field(name, real());
          break;
        case 3:
          parent.field(name, number(2) == 1);
          break;
        case 4:
          parent.field(name, nullptr);
          break;
        case 5: {
          auto child = parent.object(name);
          write(child, depth - 1);
          break;
        }
        default: {
          auto child = parent.array(name);
          for (int n = number(4); n > 0; --n) child.value(bytes());
        }
      }
    }
  }

  void check(const json::Value& parent, int depth) {
    REQUIRE(parent.is_object());
    const auto members = parent.members();
    const int count = number(5);
    REQUIRE(members.size() == static_cast<std::size_t>(count));
    for (const auto& [name, value] : members) {
      CHECK(name == text::repair_utf8(key()));
      switch (number(depth > 0 ? 7 : 5)) {
        case 0:
          CHECK(value.string() == text::repair_utf8(bytes()));
          break;
        case 1:
          CHECK(value.integer() == integer());
          break;
        case 2:
          CHECK(value.number() == real());
          break;
        case 3:
          CHECK(value.boolean() == (number(2) == 1));
          break;
        case 4:
          CHECK(value.is_null());
          break;
        case 5:
          check(value, depth - 1);
          break;
        default: {
          const auto items = value.items();
          REQUIRE(items.size() == static_cast<std::size_t>(number(4)));
          for (const auto& item : items) CHECK(item.string() == text::repair_utf8(bytes()));
        }
      }
    }
  }

 private:
  int number(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  std::string key() { return fmt::format("{}{}", random_(), bytes()); }
  std::int64_t integer() {
    const std::uint64_t high = random_();
    return static_cast<std::int64_t>(high << 32U | random_());
  }
  double real() { return std::ldexp(static_cast<double>(random_()), number(600) - 300); }
  /// Arbitrary bytes: plain text, quotes, control characters, fragments of UTF-8, surrogates.
  std::string bytes() {
    std::string out;
    for (int i = number(20); i > 0; --i) {
      static constexpr const char* pieces[] = {
          "\"", "\\", "\n", "\xC3\xA9", "\xF0\x9F\x98\x80", "\\u", "\xED\xA0\x80", "/", "a"};
      if (number(2) == 0) {
        out += pieces[number(std::size(pieces))];
      } else {
        out += static_cast<char>(number(256));
      }
    }
    return out;
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("the reader reads back what the writer wrote") {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    CAPTURE(seed);
    Writer writer;
    {
      auto root = writer.object();
      Tree(seed).write(root, 4);
    }
    CHECK(text::valid_utf8(writer.text()));
    CHECK(writer.text().find('\n') == std::string::npos);
    json::Document document;
    const auto parsed = document.parse(writer.text());
    REQUIRE(parsed);
    Tree(seed).check(*parsed, 4);
    // raw_member finds every value at the place where the document has it.
    for (const auto& [name, value] : parsed->members()) {
      const auto raw = json::raw_member(writer.text(), name);
      REQUIRE(raw);
      json::Document part;
      const auto again = part.parse(*raw);
      REQUIRE(again);
      CHECK(again->dump() == value.dump());
    }
    // A dump parses to the same value.
    json::Document copy;
    const std::string dumped = parsed->dump();
    const auto dump = copy.parse(dumped);
    REQUIRE(dump);
    CHECK(dump->dump() == dumped);
  }
}

#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "base/json/limits.hpp"
#include "base/json/reader.hpp"
#include "base/text/text.hpp"

using namespace molecule;
using json::Document;
using json::Type;
using json::Value;

namespace {

/// The decoded string in a text of the form `["…"]`.
std::string string_in(std::string_view text) {
  Document document;
  const auto root = document.parse(text);
  REQUIRE(root);
  const auto items = root->items();
  REQUIRE(items.size() == 1);
  REQUIRE(items[0].is_string());
  return std::string(*items[0].string());
}

bool parses(std::string_view text) {
  Document document;
  return document.parse(text).ok();
}

}  // namespace

TEST_CASE("values are read according to their types") {
  Document document;
  const auto parsed = document.parse(
      R"({"s":"text","i":-5,"n":1.5,"w":1.0,"t":true,"f":false,"z":null,"a":[1,"b"],"o":{"k":{"d":1}}})");
  REQUIRE(parsed);
  const Value root = *parsed;
  CHECK(root.type() == Type::object);
  CHECK(root["s"].string() == "text");
  CHECK(root["i"].integer() == -5);
  CHECK(root["i"].number() == -5.0);
  CHECK(root["n"].number() == 1.5);
  CHECK_FALSE(root["n"].integer());
  CHECK_FALSE(root["w"].integer());
  CHECK(root["t"].boolean() == true);
  CHECK(root["f"].boolean() == false);
  CHECK(root["z"].is_null());
  CHECK(root["z"].present());
  CHECK(root["a"].items().size() == 2);
  CHECK(root["o"]["k"]["d"].integer() == 1);
  CHECK(root.members().size() == 9);
  CHECK(root.members()[0].first == "s");
  CHECK(document.root()["s"].string() == "text");
}

TEST_CASE("members of an absent value are absent") {
  Document document;
  const Value root = *document.parse(R"({"s":"text","a":[1]})");
  for (const Value& value : {root["none"], root["none"]["deeper"], root["s"]["x"], root["a"]["0"],
                             Value(), Document().root()}) {
    CHECK(value.type() == Type::absent);
    CHECK_FALSE(value.present());
    CHECK_FALSE(value.is_null());
    CHECK_FALSE(value.string());
    CHECK_FALSE(value.integer());
    CHECK_FALSE(value.number());
    CHECK_FALSE(value.boolean());
    CHECK(value.string_or("other") == "other");
    CHECK(value.items().empty());
    CHECK(value.members().empty());
    CHECK(value.dump() == "null");
  }
  CHECK(root["a"].string_or("other") == "other");
}

TEST_CASE("numbers at the limits of their types") {
  Document document;
  const Value root = *document.parse(
      "[9223372036854775807,-9223372036854775808,9007199254740993,"
      "9223372036854775808,18446744073709551615,1e300,-0]");
  const auto items = root.items();
  CHECK(items[0].integer() == std::numeric_limits<std::int64_t>::max());
  CHECK(items[1].integer() == std::numeric_limits<std::int64_t>::min());
  CHECK(items[2].integer() == 9007199254740993);
  CHECK_FALSE(items[3].integer());
  CHECK(items[3].number() == 9223372036854775808.0);
  CHECK_FALSE(items[4].integer());
  CHECK(items[5].number() == 1e300);
  CHECK(items[6].integer() == 0);
  for (const char* text : {"[1e400]", "[-1e400, 18446744073709551616]", "[01]", "[1.]", "[+1]",
                           "[.5]", "[NaN]", "[Infinity]", "[0x1]"}) {
    CAPTURE(text);
    CHECK_FALSE(parses(text));
  }
}

TEST_CASE("an integer that 64 bits cannot hold is the nearest double") {
  Document document;
  const Value big = *document.parse(
      R"(["9\\", 18446744073709551616,-9223372036854775809 ,{"a":100000000000000000000000},7])");
  CHECK(big.items()[0].string() == "9\\");
  CHECK(big.items()[1].type() == Type::number);
  CHECK(big.items()[1].number() == 18446744073709551616.0);
  CHECK(big.items()[2].number() == -9223372036854775809.0);
  CHECK(big.items()[3]["a"].number() == 1e23);
  CHECK(big.items()[4].integer() == 7);
  CHECK(parses("18446744073709551616"));
  for (const char* text :
       {"[018446744073709551616]", "[18446744073709551616-]", "[18446744073709551616.]",
        "[18446744073709551616e]", "[18446744073709551616", "[--18446744073709551616]",
        "18446744073709551616 1"}) {
    CAPTURE(text);
    CHECK_FALSE(parses(text));
    CHECK_FALSE(json::parse_lenient(document, text));
  }
}

TEST_CASE("values that cannot be held do not hide the others of a page") {
  Document document;
  const std::string digits(400, '9');
  const Value numbers =
      *json::parse_lenient(document, "[1e400,-1E+400," + digits + ",1e-400,{\"b\":\"1e400\"},0." +
                                         std::string(400, '0') + "1]");
  constexpr double largest = std::numeric_limits<double>::max();
  CHECK(numbers.items()[0].number() == largest);
  CHECK(numbers.items()[1].number() == -largest);
  CHECK(numbers.items()[2].number() == largest);
  CHECK(numbers.items()[3].number() == 0);
  CHECK(numbers.items()[4]["b"].string() == "1e400");
  CHECK(numbers.items()[5].number() == 0);

  const std::string deep = std::string(100'000, '[') + "1,\"]\"" + std::string(100'000, ']');
  const Value page = *json::parse_lenient(document, "[" + deep + ",{\"a\":" + deep + "},\"last\"]");
  CHECK(page.items().size() == 3);
  CHECK(page.items()[2].string() == "last");
  Value inner = page.items()[0];
  int levels = 1;
  for (; inner.is_array(); ++levels) inner = inner.items().at(0);
  CHECK(inner.is_null());
  CHECK(levels == 512);
  CHECK_FALSE(json::parse_lenient(document, std::string(5'000'000, '[')));
  CHECK_FALSE(json::parse_lenient(document, std::string(2'000, '[') + std::string(2'001, ']')));
}

TEST_CASE("a text must be exactly one value") {
  for (const char* text :
       {"",        " ",        "{",         "[1",   "[1]]",       "{} {}", "[1] x",
        "{\"a\"}", "{\"a\":}", "{a:1}",     "[1,]", "{\"a\":1,}", "'a'",   "\"a",
        "\"\n\"",  "\"\\x\"",  "\"\\u12\"", "nul",  "tru",        "//\n1", "\x01"}) {
    CAPTURE(text);
    CHECK_FALSE(parses(text));
  }
  for (const char* text : {"1", " null ", "\"a\"", "\t[ ]\r\n", "{}"}) {
    CAPTURE(text);
    CHECK(parses(text));
  }
  CHECK_FALSE(parses(std::string_view("1\0", 2)));
}

TEST_CASE("an error states the problem without quoting the text") {
  Document document;
  const auto parsed = document.parse("{\"token\": secret-value}");
  REQUIRE_FALSE(parsed);
  CHECK_FALSE(parsed.error().message.empty());
  CHECK(parsed.error().message.find("secret") == std::string::npos);
  CHECK_FALSE(document.root().present());
}

TEST_CASE("invalid UTF-8 is rejected") {
  for (const char* text : {"[\"\x80\"]", "[\"\xC0\xAF\"]", "[\"\xED\xA0\x80\"]",
                           "[\"\xF5\x80\x80\x80\"]", "[\"\xE2\x82\"]", "[\"\xFF\"]"}) {
    CAPTURE(text);
    CHECK_FALSE(parses(text));
  }
  CHECK(string_in("[\"h\xC3\xA9 \xF0\x9F\x98\x80\"]") == "h\xC3\xA9 \xF0\x9F\x98\x80");
}

TEST_CASE("escapes are decoded, lone surrogates as U+FFFD") {
  CHECK(string_in(R"(["\"\\\/\b\f\n\r\t\u0041"])") == "\"\\/\b\f\n\r\tA");
  CHECK(string_in(R"(["a\u0000b"])") == std::string("a\0b", 3));
  CHECK(string_in(R"(["\ud83d\ude00"])") == "\xF0\x9F\x98\x80");
  CHECK(string_in(R"(["\uD83D\uDE00"])") == "\xF0\x9F\x98\x80");
  const std::string mark = "\xEF\xBF\xBD";
  CHECK(string_in(R"(["\ud83d"])") == mark);
  CHECK(string_in(R"(["\ude00"])") == mark);
  CHECK(string_in(R"(["a\ud83dz"])") == "a" + mark + "z");
  CHECK(string_in(R"(["\ud83d\n"])") == mark + "\n");
  CHECK(string_in(R"(["\ud83d\ud83d\ude00"])") == mark + "\xF0\x9F\x98\x80");
  CHECK(string_in(R"(["\ude00\ud83d"])") == mark + mark);
  CHECK(string_in(R"(["\ud83d\u0041"])") == mark + "A");
  // After an escaped backslash, `u` does not start an escape.
  CHECK(string_in(R"(["\\ud83d"])") == "\\ud83d");
  CHECK(string_in(R"(["\\\ud83d"])") == "\\" + mark);
  CHECK_FALSE(parses(R"(["\ud83)"));
  Document document;
  CHECK((*document.parse(R"({"\ud83d":1})"))[mark].integer() == 1);
}

TEST_CASE("nesting depth is limited") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(parses(nested(1000)));
  CHECK_FALSE(parses(nested(1025)));
  CHECK_FALSE(parses(nested(5'000'000)));
  CHECK_FALSE(parses(std::string(1'000'000, '[')));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  CHECK_FALSE(parses(objects));
}

TEST_CASE("the first of repeated keys wins") {
  Document document;
  CHECK((*document.parse(R"({"a":1,"a":2})"))["a"].integer() == 1);
  CHECK(json::raw_member(R"({"a":1,"a":2})", "a") == "1");
}

TEST_CASE("a document can be reused and moved, and is independent of others") {
  Document first;
  Document second;
  const Value a = *first.parse(R"({"a":"one"})");
  const Value b = *second.parse(R"({"a":"two"})");
  CHECK(a["a"].string() == "one");
  CHECK(b["a"].string() == "two");
  const Document moved = std::move(first);
  CHECK(moved.root()["a"].string() == "one");
  CHECK(a["a"].string() == "one");
  CHECK((*second.parse("[3]")).items().size() == 1);
  CHECK(second.root().is_array());
}

TEST_CASE("a text with padding is parsed in place") {
  std::string line = R"({"a":["b",1]})";
  const std::size_t length = line.size();
  line += "\n{\"next\":";
  line.append(64, 'x');
  Document document;
  const auto parsed = document.parse({line.data(), length}, Document::Padding::present);
  REQUIRE(parsed);
  CHECK((*parsed)["a"].items()[0].string() == "b");
}

TEST_CASE("a huge text is parsed, and its buffers are not kept") {
  std::string text = "[\"";
  text.append(std::size_t{20} << 20, 'x');
  text += "\"]";
  Document document;
  REQUIRE(document.parse(text));
  CHECK(document.root().items()[0].string()->size() == std::size_t{20} << 20);
  CHECK(parses("[1]"));
}

TEST_CASE("dump is minified JSON on one line") {
  Document document;
  const auto parsed = document.parse("{ \"a\" : [ 1 , 2.5 , \"x\\ny\\u2028\" ] ,\n \"b\" : null }");
  CHECK(parsed->dump() == "{\"a\":[1,2.5,\"x\\ny\xE2\x80\xA8\"],\"b\":null}");
}

TEST_CASE("raw_member returns the exact spelling") {
  const auto id = [](std::string_view text) { return json::raw_member(text, "id"); };
  CHECK(id(R"({"id":1})") == "1");
  CHECK(id(R"({"jsonrpc":"2.0", "id" : 1.0e2 , "x":1})") == "1.0e2");
  CHECK(id(R"({"id":"a\u0041\"}b"})") == R"("a\u0041\"}b")");
  CHECK(id(R"({"id":-0})") == "-0");
  CHECK(id(R"({"id":123456789012345678901234567890})") == "123456789012345678901234567890");
  CHECK(id("{\"id\":null\n}") == "null");
  CHECK(id("\t{ \"id\"\r\n:\ttrue\t}\n") == "true");
  CHECK(id(R"({"id":{"a":[1,"}"]}, "b":2})") == R"({"a":[1,"}"]})");
  CHECK(id(R"({"id":[ 1, [2] ]})") == "[ 1, [2] ]");
  // Members of nested objects, and values, are not matched.
  CHECK(id(R"({"params":{"id":7},"x":["id",{"id":8}],"y":"id","id":9})") == "9");
  CHECK(id(R"({"a":"\\","id":3})") == "3");
  CHECK(id(R"({"a":"\\\"","id":3})") == "3");
  CHECK(id(R"({"a":"\"id\":5","id":3})") == "3");
  CHECK(id(R"({"\u0069d":4})") == "4");
  CHECK_FALSE(id(R"({"ID":1,"idx":2,"i":3})"));
  CHECK_FALSE(id("{}"));
  CHECK_FALSE(id("[]"));
  CHECK_FALSE(id(R"(["id",1])"));
  CHECK_FALSE(id("1"));
  CHECK_FALSE(id(""));
}

TEST_CASE("raw_member is safe for any text") {
  const std::string whole = R"({"a\\":[{"b":"c\""},-1.5e3,null],"id":{"x":"\u00e9"},"z":[]})";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    [[maybe_unused]] const auto found = json::raw_member({whole.data(), length}, "id");
  }
  for (const char* text : {"{\"id\"", "{\"id\":", "{\"id\":\"", "{\"a\"}", "{]", "{\"a\":]", "{,}",
                           "{\"a\":1,,\"id\":2}", "{\"a\":}", "}{", "{\"\\\":1}", "{\"id\\"}) {
    CAPTURE(text);
    [[maybe_unused]] const auto found = json::raw_member(text, "id");
  }
}

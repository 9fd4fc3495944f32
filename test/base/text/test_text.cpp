#include <doctest/doctest.h>

#include <random>
#include <string>

#include "base/text/text.hpp"

using namespace molecule;

TEST_CASE("trim and split_list") {
  CHECK(text::trim(" \t\r\n a b \v\f") == "a b");
  CHECK(text::trim("") == "");
  CHECK(text::trim(" \n ") == "");
  CHECK(text::split_list(" a, b ,, ,c", ',') == std::vector<std::string>{"a", "b", "c"});
  CHECK(text::split_list("", ',').empty());
  CHECK(text::split_list(" , ", ',').empty());
}

TEST_CASE("case conversion is limited to ASCII") {
  CHECK(text::lower("AZaz\xC3\x89[") == "azaz\xC3\x89[");
  CHECK(text::equal_ignoring_case("Content-Type", "content-tYPE"));
  CHECK_FALSE(text::equal_ignoring_case("a", "ab"));
  CHECK_FALSE(text::equal_ignoring_case("[", "{"));
}

TEST_CASE("UTF-8 is checked and repaired") {
  const std::string mark = "\xEF\xBF\xBD";
  CHECK(text::valid_utf8(""));
  CHECK(text::valid_utf8("h\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"));
  for (const char* wrong :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3", "\xE2\x82", "\xFE"}) {
    CAPTURE(wrong);
    CHECK_FALSE(text::valid_utf8(wrong));
    CHECK(text::valid_utf8(text::repair_utf8(wrong)));
    CHECK(text::repair_utf8(wrong).starts_with(mark));
  }
  CHECK(text::repair_utf8("a\xFF\xC3\xA9") == "a" + mark + "\xC3\xA9");
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes;
    for (auto n = random() % 12; n > 0; --n) bytes += static_cast<char>(random() % 256);
    const std::string repaired = text::repair_utf8(bytes);
    REQUIRE(text::valid_utf8(repaired));
    REQUIRE((text::valid_utf8(bytes) == (repaired == bytes)));
    REQUIRE(text::valid_utf8(text::sanitize(bytes)));
    REQUIRE(text::valid_utf8(text::sanitize_name(bytes)));
  }
}

TEST_CASE("prefixes end at a character boundary") {
  const std::string euro = "\xE2\x82\xAC";
  CHECK(text::prefix_bytes("abc", 5) == "abc");
  CHECK(text::prefix_bytes("abc", 2) == "ab");
  CHECK(text::prefix_bytes(euro + euro, 5) == euro);
  CHECK(text::prefix_bytes(euro, 2) == "");
  CHECK(text::prefix_bytes(euro, 0) == "");
  CHECK(text::prefix_characters(euro + "a" + euro, 2) == euro + "a");
  CHECK(text::prefix_characters(euro, 1) == euro);
  CHECK(text::prefix_characters(euro, 0) == "");
  CHECK(text::count_characters(euro + "a" + euro) == 3);
}

TEST_CASE("sanitising removes characters that affect how text is displayed") {
  CHECK(text::sanitize("a\tb\nc\r\n") == "a\tb\nc\n");
  CHECK(text::sanitize(std::string_view("a\0\x1b[31m\x7f\x08z", 10)) == "a[31mz");
  CHECK(text::sanitize("\xC2\x84\xC2\x9Bx") == "x");
  CHECK(text::sanitize("a\xE2\x80\xAE"
                       "b\xE2\x81\xA6"
                       "c\xE2\x80\x8F"
                       "d\xD8\x9C"
                       "e") == "abcde");
  // Every script is kept, and so are joiners, which some scripts need.
  const std::string scripts =
      "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xE0\xA4\x95\xE0\xA5\x8D\xE2\x80\x8D\xE0\xA4\xB7 "
      "\xE4\xB8\xAD\xE6\x96\x87 \xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB";
  CHECK(text::sanitize(scripts) == scripts);
}

TEST_CASE("sanitised names are one short line") {
  CHECK(text::sanitize_name("  a\nb\tc  ") == "a b c");
  CHECK(text::sanitize_name(std::string(200, 'x')) == std::string(64, 'x'));
  std::string wide;
  for (int i = 0; i < 100; ++i) wide += "\xE4\xB8\xAD";
  CHECK(text::count_characters(text::sanitize_name(wide)) == 64);
  CHECK(text::sanitize_name(std::string(63, 'x') + "  yyy") == std::string(63, 'x'));
  CHECK(text::one_line("a\r\nb\tc") == "a  b c");
}

TEST_CASE("percent encoding and decoding") {
  CHECK(text::percent_encode("aZ09-._~") == "aZ09-._~");
  CHECK(text::percent_encode("a b/c?&=#%+\xC3\xA9") == "a%20b%2Fc%3F%26%3D%23%25%2B%C3%A9");
  CHECK(text::percent_decode("a%20b+c%2f%C3%a9") == "a b c/\xC3\xA9");
  CHECK(text::percent_decode("%") == "%");
  CHECK(text::percent_decode("%2") == "%2");
  CHECK(text::percent_decode("%zz%4") == "%zz%4");
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  CHECK(text::percent_decode(text::percent_encode(all)) == all);
}

TEST_CASE("secrets are compared in full") {
  CHECK(text::equal_constant_time("", ""));
  CHECK(text::equal_constant_time("abc", "abc"));
  for (const char* other : {"", "ab", "abd", "abcd", "xbc", "abcabc"}) {
    CAPTURE(other);
    CHECK_FALSE(text::equal_constant_time("abc", other));
    CHECK_FALSE(text::equal_constant_time(other, "abc"));
  }
}

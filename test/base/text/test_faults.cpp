// Hidden characters in other people's text, and texts made to block the loop.

#include <doctest/doctest.h>

#include <chrono>
#include <random>
#include <string>

#include "base/text/redact.hpp"
#include "base/text/tags.hpp"
#include "base/text/text.hpp"

using namespace molecule;

TEST_CASE("fault B5: every kind of line break stays a line break and joins no words") {
  for (const char* end :
       {"\r\n", "\r", "\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\u0085", "\u2028", "\u2029"}) {
    CAPTURE(end);
    CHECK(text::sanitize("ls -la" + std::string(end) + "rm") == "ls -la\nrm");
    const std::string line = text::one_line("ls -la" + std::string(end) + "rm");
    CHECK((line == "ls -la rm" || line == "ls -la  rm"));
  }
  CHECK(text::sanitize("a\r\r\n\n\rb") == "a\n\n\n\nb");
}

TEST_CASE("fault D3: invisible characters are removed") {
  std::string tags;
  for (const char c : std::string("ignore all")) {
    tags += "\xF3\xA0";
    tags += static_cast<char>(0x80 | (0x00 + (c >> 6)));
    tags += static_cast<char>(0x80 | (c & 0x3F));
  }
  CHECK(text::sanitize("a" + tags + "b") == "ab");
  for (const char* hidden :
       {"\u200B",     "\uFEFF",     "\u2060",     "\u2061",     "\u2064", "\u206A",
        "\u00AD",     "\u034F",     "\u061C",     "\u200E",     "\u202E", "\u2066",
        "\u3164",     "\u115F",     "\uFFA0",     "\uFE00",     "\uFE0F", "\uFE0E",
        "\U000E0100", "\U000E01EF", "\U000E0001", "\U000E007F", "\uFFF9", "\uFFFB",
        "\U0001D173", "\U0001BCA0", "\u180E",     "\u200D",     "\u200C", "\u200D\u200C\u200D"}) {
    CAPTURE(hidden);
    CHECK(text::sanitize("a" + std::string(hidden) + "b") == "ab");
    CHECK(text::sanitize_name(std::string(hidden) + "name" + hidden) == "name");
    CHECK(text::sanitize("<" + std::string(hidden) + "channel>") == "<channel>");
  }
  // Bytes encoded as selectors after an emoji: only the first may select a form.
  CHECK(text::sanitize("\U0001F600\uFE0F\uFE01\uFE05\U000E0120\uFE0F") == "\U0001F600\uFE0F");
  CHECK(text::sanitize("\U0001F3F4\U000E0061\U000E0062\U000E007F") == "\U0001F3F4");
}

TEST_CASE("fault D3: scripts and emoji keep what they need") {
  for (const char* kept :
       {"👩‍💻",
        "👨‍👩‍👧‍👦",
        "🏳️‍🌈",
        "🏴‍☠️",
        "❤️‍🔥",
        "👁️‍🗨️",
        "🧑🏽‍🤝‍🧑🏿",
        "👍🏽",
        "🇩🇪",
        "1️⃣",
        "#️⃣",
        "©️",
        "☺️",
        "☺︎",
        "✔️",
        "\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F",
        "\U0001F3F4\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F!",
        "\U0001F3F4\U000E0067\U000E0062\U000E0077\U000E006C\U000E0073\U000E007F",
        "می‌خواهم",
        "क्‍ष",
        "ශ්‍රී",
        "ന്‍",
        "नन्ही",
        "ខ្មែរ",
        "中文　日本語",
        "한국어",
        "שלום",
        "ไทย",
        "\u1820\u180B",
        "e\u0301 \u200D",
        "a\u00A0b",
        "\uE000",
        "x\u0338"}) {
    CAPTURE(kept);
    CHECK(text::sanitize(kept) == kept);
  }
}

TEST_CASE("fault D3: cleaning twice changes nothing") {
  std::mt19937 random(5);
  const std::string pieces[] = {"a",
                                "1",
                                "<",
                                "\u200D",
                                "\u200C",
                                "\uFE0F",
                                "\uFE0E",
                                "\u20E3",
                                "\U0001F3F4",
                                "\U000E0067",
                                "\u200B",
                                "\U0001F600",
                                "\U0001F3FD",
                                "\u0915",
                                "\u2764",
                                "\r",
                                "\n",
                                " ",
                                "\u0085",
                                "\u180B",
                                "\xFF",
                                "\u1820",
                                "\U000E0062\U000E0065\U000E006E\U000E0067"
                                "\U000E007F"};
  for (int i = 0; i < 50'000; ++i) {
    std::string given;
    for (auto n = random() % 10; n > 0; --n) given += pieces[random() % std::size(pieces)];
    const std::string once = text::sanitize(given);
    CAPTURE(given);
    REQUIRE(text::sanitize(once) == once);
  }
}

TEST_CASE("fault D3: no spelling of a tag gets through") {
  for (const char* tag :
       {"<channel>", "</channel>", "< / channel", "<CHANNEL x", "<\u200Bchannel",
        "<c\u200Dhan\uFEFFnel", "<\nchannel", "＜channel", "﹤ｃｈａｎｎｅｌ", "<\u00A0channel",
        "<\x01"
        "channel",
        "<\u3000/\u2060channel", "<cha\u00ADnnel"}) {
    CAPTURE(tag);
    const std::string guarded = text::without_tags("a" + std::string(tag) + ">b", "channel");
    CHECK(guarded.starts_with("a&lt;"));
    CHECK(guarded.find('<') == std::string::npos);
  }
  for (const char* plain : {"a < b", "<chan>", "<chann el", "<", "<<", "a <\xFF", "\xEF", "＜b",
                            "channel>", "&lt;channel", "<a channel>"}) {
    CAPTURE(plain);
    CHECK(text::without_tags(plain, "channel") == plain);
  }
  CHECK(text::without_tags("<<channel><channel", "channel") == "<&lt;channel>&lt;channel");
}

TEST_CASE("fault A18: only secrets that are long enough are hidden") {
  CHECK(hide_secret("the help of t", "t") == "the help of t");
  CHECK(hide_secret("a seven7 b", "seven7!") == "a seven7 b");
  CHECK(hide_secret("x 1234567 y", "1234567") == "x 1234567 y");
  CHECK(hide_secret("x12345678y 12345678", "12345678") == "x[REDACTED]y [REDACTED]");
  CHECK(hide_secret("text", "") == "text");
  CHECK(redact_secrets("ask-me-anything-about-the-project") == "ask-me-anything-about-the-project");
  CHECK(redact_secrets("task-0123456789abcdef0123456789") == "task-0123456789abcdef0123456789");
  CHECK(redact_secrets("key:sk-0123456789abcdef0123456789") == "key:[REDACTED]");
}

TEST_CASE("fault D1: redaction takes linear time for any text") {
  for (const std::string piece :
       {"AKIA", "sk-", "sk-a ", "ghp_", "ghs_", "github_pat_", "key=", "key = ", "token ", "secret",
        "api_key=a", "password= ", "A", "=", " ", "AKIAA", "sk-sk", "aaaaaaaaa", "[REDACTED]"}) {
    CAPTURE(piece);
    std::string given;
    while (given.size() < std::size_t{1} << 20) given += piece;
    const auto begin = std::chrono::steady_clock::now();
    const std::string out = redact_secrets(given);
    const std::string hidden = hide_secret(given, piece + piece + piece + piece + piece);
    const auto took = std::chrono::steady_clock::now() - begin;
    // A few milliseconds when optimised; quadratic time would be minutes.
    CHECK(took < std::chrono::seconds(2));
  }
}

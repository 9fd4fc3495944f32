#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "mcp/wire/framing.hpp"

namespace molecule::mcp {

namespace {

constexpr std::string_view too_long = "<too long>";

/// Feeds `input` in pieces whose sizes `next_size` chooses.
template <class NextSize>
std::vector<std::string> lines_of(std::string_view input, std::size_t cap, NextSize next_size) {
  Framer framer(cap);
  std::vector<std::string> lines;
  const auto take = [&] {
    while (const auto line = framer.next()) {
      lines.emplace_back(line->too_long ? too_long : line->text);
    }
  };
  while (!input.empty()) {
    const std::span<char> space = framer.space();
    const std::size_t size = std::min({next_size(), space.size(), input.size()});
    std::memcpy(space.data(), input.data(), size);
    framer.received(size);
    input.remove_prefix(size);
    take();
  }
  framer.end();
  take();
  return lines;
}

std::vector<std::string> lines_of(std::string_view input, std::size_t cap = 1000) {
  return lines_of(input, cap, [] { return std::size_t{1} << 30; });
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("lines end with LF or CRLF, or with the input") {
  CHECK(lines_of("a\nb\r\nc") == Lines{"a", "b", "c"});
  CHECK(lines_of("") == Lines{});
  CHECK(lines_of("a\n") == Lines{"a"});
}

TEST_CASE("blank lines and byte order marks are skipped") {
  CHECK(lines_of("\xEF\xBB\xBF{}\n\r\n \t\n\n\xEF\xBB\xBF\n{}\n  ") == Lines{"{}", "{}"});
}

TEST_CASE("a line over the limit is reported once and skipped") {
  const std::string longer(11, 'x');
  CHECK(lines_of(longer + "\nb\n", 10) == Lines{std::string(too_long), "b"});
  CHECK(lines_of(longer, 10) == Lines{std::string(too_long)});
  CHECK(lines_of(std::string(1 << 20, 'x') + "\nb\n", 10) == Lines{std::string(too_long), "b"});
  CHECK(lines_of(std::string(10, 'x') + "\nb\n", 10) == Lines{std::string(10, 'x'), "b"});
}

TEST_CASE("any split of the input gives the same lines") {
  std::string input = "\xEF\xBB\xBF{\"a\":\"\xF0\x9F\x98\x80\"}\r\n\n{}\n";
  input += std::string(300, 'y') + '\n' + std::string(2000, 'z') + "\r\n[1]\n" +
           std::string(70000, 'w') + "\nlast";
  const Lines whole = lines_of(input);
  REQUIRE(whole.size() == 7);
  CHECK(lines_of(input, 1000, [] { return std::size_t{1}; }) == whole);
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<std::size_t> size(1, seed % 2 == 0 ? 7 : 5000);
    CHECK(lines_of(input, 1000, [&] { return size(random); }) == whole);
  }
}

TEST_CASE("a huge line is read whole, and the next line after it too") {
  const std::string huge(5 << 20, 'h');
  CHECK(lines_of(huge + "\nsmall\n", 6 << 20) == Lines{huge, "small"});
}

TEST_CASE("64 bytes after every line are readable") {
  Framer framer(100000);
  const std::span<char> space = framer.space();
  std::memset(space.data(), 'x', space.size());
  framer.received(space.size());
  framer.end();
  const auto line = framer.next();
  REQUIRE(line);
  // AddressSanitizer reports reads past the buffer.
  unsigned sum = 0;
  for (std::size_t i = 0; i < 64; ++i) {
    sum += static_cast<unsigned char>(line->text.data()[line->text.size() + i]);
  }
  CHECK(sum < 64 * 256);
}

}  // namespace molecule::mcp

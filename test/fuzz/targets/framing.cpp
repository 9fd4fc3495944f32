#include "mcp/wire/framing.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "fuzz/targets.hpp"

namespace molecule::fuzz {

namespace {

using Lines = std::vector<std::string>;

/// Marks a line over the limit; no real line contains a line ending.
const std::string too_long = "\n";

void take_lines(mcp::Framer& framer, std::size_t cap, Lines& lines) {
  while (const auto line = framer.next()) {
    if (line->too_long) {
      lines.push_back(too_long);
      continue;
    }
    require(!line->text.empty() && line->text.find('\n') == std::string_view::npos,
            "a line is neither blank nor holds a line end");
    require(line->text.size() <= cap, "a line keeps to its cap");
    // 64 bytes after it must be readable; the sum keeps the compiler from removing the reads.
    unsigned sum = 0;
    for (std::size_t i = 0; i < 64; ++i) {
      sum += static_cast<unsigned char>(line->text.data()[line->text.size() + i]);
    }
    require(sum <= 64 * 255, "bytes are bytes");
    lines.emplace_back(line->text);
  }
}

/// Chunks of 1 to `max_size` bytes; a tiny generator is enough to put splits everywhere.
Lines frame(std::string_view input, std::size_t cap, std::size_t max_size, unsigned seed) {
  mcp::Framer framer(cap);
  Lines lines;
  while (!input.empty()) {
    seed = seed * 1103515245U + 12345U;
    const auto space = framer.space();
    require(!space.empty(), "there is always space");
    const std::size_t wanted = 1 + (seed >> 16U) % max_size;
    const std::size_t count = std::min({wanted, space.size(), input.size()});
    std::memcpy(space.data(), input.data(), count);
    framer.received(count);
    input.remove_prefix(count);
    take_lines(framer, cap, lines);
  }
  framer.end();
  take_lines(framer, cap, lines);
  return lines;
}

}  // namespace

void framing(std::string_view input) {
  if (input.size() < 2) return;
  const std::size_t cap = static_cast<unsigned char>(input[0]) + std::size_t{1};
  const unsigned seed = static_cast<unsigned char>(input[1]);
  input.remove_prefix(2);
  const Lines whole = frame(input, cap, input.size() + 1, seed);
  require(frame(input, cap, 1, seed) == whole, "one byte at a time gives the same lines");
  require(frame(input, cap, 7, seed) == whole, "any split gives the same lines");
}

}  // namespace molecule::fuzz

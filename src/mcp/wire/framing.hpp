#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace molecule::mcp {

/// One line of input, without its line ending.
struct Line {
  std::string_view text;
  /// The line exceeded the limit: `text` is empty and the rest of the line is skipped.
  bool too_long = false;
};

/// Splits bytes into lines (mcp-protocol.md 2) and does no I/O. A line ends with `\n` or `\r\n`;
/// the last one may also end with the input. Blank lines and byte order marks are skipped.
///
/// Bytes are read straight into the buffer they are parsed from: a line is a view into that buffer,
/// followed by at least 64 readable bytes, and valid until the next call of `space`.
class Framer {
 public:
  explicit Framer(std::size_t line_bytes);

  /// Where to put the next bytes of input; never empty.
  std::span<char> space();
  /// Reports that `bytes` bytes were written to the space.
  void received(std::size_t bytes);
  /// Reports the end of the input.
  void end() { ended_ = true; }
  /// The next complete line, if there is one.
  std::optional<Line> next();

 private:
  std::optional<Line> next_raw();

  std::size_t line_bytes_;
  std::vector<char> buffer_;
  // [begin_, end_) is unread; [begin_, scanned_) holds no line ending.
  std::size_t begin_ = 0;
  std::size_t scanned_ = 0;
  std::size_t end_ = 0;
  bool skipping_ = false;
  bool ended_ = false;
};

}  // namespace molecule::mcp

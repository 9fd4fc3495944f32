#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace molecule::mcp {

/// One line of input without its end.
struct Line {
  std::string_view text;
  /// The line was over the cap: `text` is empty, the rest of it is skipped.
  bool too_long = false;
};

/// Bytes in, lines out (mcp-protocol.md 2); does no I/O. Lines end with `\n` or `\r\n`, the last
/// one also with the input. Blank lines and byte order marks are passed over.
///
/// The bytes are read to where they are parsed: a line is a view into the buffer, followed by
/// at least 64 readable bytes, and valid until `space` is called.
class Framer {
 public:
  explicit Framer(std::size_t line_bytes);

  /// Where the next bytes of the input go; never empty.
  std::span<char> space();
  /// `bytes` were put there.
  void received(std::size_t bytes);
  /// No more bytes will come.
  void end() { ended_ = true; }
  /// The next complete line.
  std::optional<Line> next();

 private:
  std::optional<Line> next_raw();

  std::size_t line_bytes_;
  std::vector<char> buffer_;
  // The unfinished line is [begin_, end_); up to scanned_ it holds no line end.
  std::size_t begin_ = 0;
  std::size_t scanned_ = 0;
  std::size_t end_ = 0;
  bool skipping_ = false;
  bool ended_ = false;
};

}  // namespace molecule::mcp

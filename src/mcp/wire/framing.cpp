#include "mcp/wire/framing.hpp"

#include <algorithm>
#include <cstring>

namespace molecule::mcp {

namespace {

constexpr std::size_t read_bytes = std::size_t{64} << 10;
constexpr std::size_t max_kept_bytes = 4 * read_bytes;
/// simdjson may read this far past the end of its input.
constexpr std::size_t padding = 64;

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string_view trim_line(std::string_view line) {
  if (line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
  const std::size_t first = line.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

Framer::Framer(std::size_t line_bytes) : line_bytes_(line_bytes) {}

std::span<char> Framer::space() {
  if (begin_ == end_) {
    begin_ = scanned_ = end_ = 0;
    // Release the memory of an unusually long line.
    if (buffer_.size() > max_kept_bytes) buffer_ = {};
  } else if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    scanned_ -= begin_;
    end_ -= begin_;
    begin_ = 0;
  }
  const std::size_t needed = end_ + read_bytes + padding;
  if (buffer_.size() < needed) buffer_.resize(std::max(needed, 2 * buffer_.size()));
  return {buffer_.data() + end_, read_bytes};
}

void Framer::received(std::size_t bytes) {
  end_ += bytes;
}

std::optional<Line> Framer::next() {
  while (true) {
    std::optional<Line> line = next_raw();
    if (!line || line->too_long) return line;
    line->text = trim_line(line->text);
    if (!line->text.empty()) return line;
  }
}

std::optional<Line> Framer::next_raw() {
  while (begin_ < end_) {
    const char* const data = buffer_.data();
    const auto* const newline =
        static_cast<const char*>(std::memchr(data + scanned_, '\n', end_ - scanned_));
    const bool complete = newline != nullptr;
    const std::size_t stop = complete ? static_cast<std::size_t>(newline - data) : end_;
    const std::string_view text(data + begin_, stop - begin_);
    const bool too_long = text.size() > line_bytes_;
    scanned_ = complete ? stop + 1 : end_;
    if (!complete && !ended_ && !too_long && !skipping_) return std::nullopt;
    begin_ = scanned_;
    const bool skipped = skipping_;
    skipping_ = !complete && (skipping_ || too_long);
    if (skipped) continue;
    return too_long ? Line{.text = {}, .too_long = true} : Line{.text = text};
  }
  return std::nullopt;
}

}  // namespace molecule::mcp

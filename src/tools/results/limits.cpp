#include "tools/results/limits.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace molecule::tools {

namespace {

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::size_t json_bytes(char c) {
  if (c == '"' || c == '\\' || c == '\n' || c == '\t' || c == '\r') return 2;
  return static_cast<unsigned char>(c) < 0x20 ? 6 : 1;
}

}  // namespace

Slice slice(std::string_view text, std::size_t offset, std::size_t max) {
  std::size_t begin = std::min(offset, text.size());
  while (begin < text.size() && continues_character(text[begin])) ++begin;
  std::size_t end = begin;
  std::size_t bytes = 0;
  while (end < text.size()) {
    std::size_t next = end + 1;
    while (next < text.size() && continues_character(text[next])) ++next;
    bytes += json_bytes(text[end]) + (next - end - 1);
    if (bytes > max && end > begin) break;
    end = next;
  }
  return {.text = text.substr(begin, end - begin),
          .offset = begin,
          .next = end < text.size() ? end : 0};
}

void write_slice(json::Object& object, std::string_view name, std::string_view text,
                 const Slice& part) {
  object.field(name, part.text);
  if (part.offset == 0 && part.next == 0) return;
  if (part.offset > 0) object.field("offset", part.offset);
  object.field("total_bytes", text.size());
  if (part.next > 0) object.field("next_offset", part.next);
}

std::string beginning(std::string_view text, std::size_t max, std::string_view how) {
  const Slice part = slice(text, 0, max);
  if (part.next == 0) return std::string(text);
  return fmt::format("{}\n[Cut: these are the first {} of {} bytes. {}]", part.text, part.next,
                     text.size(), how);
}

void limit(mcp::ToolResult& result) {
  if (result.text.size() + result.structured.size() <= max_result_bytes) return;
  if (result.text.size() > max_result_bytes / 2) result.structured.clear();
  if (result.text.size() <= max_result_bytes) return;
  result.text = beginning(result.text, max_result_bytes, "Ask for less.");
}

}  // namespace molecule::tools

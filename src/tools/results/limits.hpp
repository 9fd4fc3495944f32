#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/json/writer.hpp"
#include "molecule/mcp/tool.hpp"

namespace molecule::tools {

// How long a result may be: hosts cut or drop long ones, and each is paid for in tokens. What is
// left out is always said, with how to get it.

/// All of a result, its text and its structured form together, in about this many bytes.
inline constexpr std::size_t max_result_bytes = 40'000;
/// The list in a result that has it twice, as text and structured.
inline constexpr std::size_t max_list_bytes = 19'500;
/// One entry's text in such a list, and the one text of a result.
inline constexpr std::size_t max_entry_bytes = 4'000;
inline constexpr std::size_t max_text_bytes = 12'000;
/// A peer's answer, which is all of a result.
inline constexpr std::size_t max_answer_bytes = 36'000;
/// The beginning of a message that is pushed.
inline constexpr std::size_t max_push_bytes = 8'000;

/// A part of a text, cut between characters.
struct Slice {
  std::string_view text;
  std::size_t offset = 0;
  /// Where the rest begins; 0 if there is none.
  std::size_t next = 0;
};

/// The part from `offset` on of which the JSON string has at most `max` bytes, but at least one
/// character. `text` is valid UTF-8.
Slice slice(std::string_view text, std::size_t offset, std::size_t max);

/// Writes the slice as `name`; if it is not all, also `offset`, `total_bytes` and `next_offset`.
void write_slice(json::Object& object, std::string_view name, std::string_view text,
                 const Slice& part);

/// The text, or how it begins with a note that says so, and `how` to get the rest.
std::string beginning(std::string_view text, std::size_t max, std::string_view how);

/// The last resort for texts whose tool has no limit of its own.
void limit(mcp::ToolResult& result);

}  // namespace molecule::tools

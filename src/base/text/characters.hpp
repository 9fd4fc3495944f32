#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace molecule::text {

/// The length of the valid UTF-8 character at the start of `text` (not empty), or 0. Stores its
/// code point in `code`.
std::size_t decode(std::string_view text, std::uint32_t& code);

/// LF, VT, FF, CR, the separators U+001C to U+001E, NEL, LS and PS.
bool is_line_break(std::uint32_t code);
/// C0, DEL and C1, including tab and line breaks.
bool is_control(std::uint32_t code);
/// A character without a glyph: Unicode's Default_Ignorable_Code_Point (joiners, selectors, tags,
/// bidirectional marks, fillers) and the interlinear annotation marks.
bool is_invisible(std::uint32_t code);
/// A base character of emoji sequences: Unicode's Extended_Pictographic.
bool is_pictograph(std::uint32_t code);
bool is_skin_tone(std::uint32_t code);

}  // namespace molecule::text

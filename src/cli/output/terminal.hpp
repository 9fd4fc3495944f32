#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace molecule::cli {

/// Words for the person, to stderr; a reader that has gone is no failure.
void say(std::string_view text);

/// True if stdin is a terminal, so that a person can be asked.
bool can_ask();
/// True if stdout is a terminal that supports colour and NO_COLOR is not set.
bool wants_colour();
bool writes_to_terminal();
/// The columns of the terminal; a very large number if stdout is none.
std::size_t terminal_columns();

/// The columns that the text takes: 2 for wide characters, 0 for those without a glyph.
std::size_t display_width(std::string_view text);
/// The longest beginning of `text` that takes at most `columns`, with `…` if something is cut.
std::string fit(std::string_view text, std::size_t columns);
/// Breaks lines at blanks; those after the first begin with `indent` blanks.
std::string wrap(std::string_view text, std::size_t columns, std::size_t indent);

}  // namespace molecule::cli

#pragma once

#include <string>
#include <string_view>

namespace molecule::tools {

// Other people's text within texts of ours that are read line by line or by their punctuation.

/// The text with each line but the first marked, so that none looks like a line of ours.
std::string marked_lines(std::string_view text);

/// A name of one line; in quotes if it has characters that could pretend to be the text around it.
std::string quoted_name(std::string_view name);

}  // namespace molecule::tools

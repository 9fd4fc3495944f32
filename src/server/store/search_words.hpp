#pragma once

#include <string>
#include <string_view>

namespace molecule::server::store {

/// The user's words as an FTS5 expression that cannot be a syntax error: quoted, and all required.
/// English stop words are dropped, and so are words after the 32nd. Empty if no word is left: then
/// nothing matches (platform-api.md 6.2).
std::string search_expression(std::string_view typed);

/// A pattern for LIKE with ESCAPE '\' that finds `text` anywhere.
std::string like_anywhere(std::string_view text);

}  // namespace molecule::server::store

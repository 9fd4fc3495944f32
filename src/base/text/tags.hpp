#pragma once

#include <string>
#include <string_view>

namespace molecule::text {

/// With `&lt;` in place of each `<` that would begin a tag called `name` (lower-case ASCII), an
/// opening or a closing one. Read as a model reads it: case, full-width forms, blanks, and
/// characters that show nothing make no difference.
std::string without_tags(std::string_view text, std::string_view name);

}  // namespace molecule::text

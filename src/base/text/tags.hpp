#pragma once

#include <string>
#include <string_view>

namespace molecule::text {

/// Replaces the `<` of each opening or closing tag `name` (lower-case ASCII) by `&lt;`. Tags are
/// recognised as a model would read them: regardless of case, full-width forms, blanks and
/// invisible characters.
std::string without_tags(std::string_view text, std::string_view name);

}  // namespace molecule::text

#pragma once

#include <string>
#include <string_view>

#include "base/json/reader.hpp"

namespace molecule::json {

/// Parses a text that holds values of many people, of which none may hide the others: where
/// `Document::parse` would refuse it, a number beyond a double becomes the largest one, and what
/// lies deeper than 512 levels null.
Result<Value, ParseError> parse_lenient(Document& document, std::string_view text);

/// The text with each integer beyond 64 bits written as a double, for `Document`. Any other text,
/// valid or not, stays as it is.
std::string without_big_integers(std::string_view text);

}  // namespace molecule::json

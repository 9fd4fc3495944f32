#pragma once

#include <cstddef>
#include <string>

#include "base/json/reader.hpp"

namespace molecule::json {

/// Like `Value::dump`, with each string and key passed through `text::sanitize`: other people's
/// JSON, made safe to show. Sanitising the dump instead could break it: separators inside strings
/// would become raw line breaks.
/// Longer strings than `max_string` bytes are cut between characters, with a mark at the end.
std::string dump_sanitized(Value value, std::size_t max_string = std::string::npos);

}  // namespace molecule::json

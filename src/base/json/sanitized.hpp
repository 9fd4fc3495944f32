#pragma once

#include <string>

#include "base/json/reader.hpp"

namespace molecule::json {

/// Like `Value::dump`, with each string and key passed through `text::sanitize`: other people's
/// JSON, made safe to show. Sanitising the dump instead could break it: separators inside strings
/// would become raw line breaks.
std::string dump_sanitized(Value value);

}  // namespace molecule::json

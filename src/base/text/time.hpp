#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace molecule {

using WallTime = std::chrono::system_clock::time_point;

/// RFC 3339 in UTC with up to six fractional digits, trailing zeros trimmed (platform-api.md 0).
std::string format_rfc3339(WallTime time);
/// Reads an RFC 3339 time of the years 1678 to 2261, with any number of fractional digits and any
/// offset.
std::optional<WallTime> parse_rfc3339(std::string_view text);

/// Microseconds since 1970, as our databases store times; values outside `WallTime` are clamped.
std::int64_t to_micros(WallTime time);
WallTime from_micros(std::int64_t micros);

}  // namespace molecule

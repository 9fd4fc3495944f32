#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace molecule {

/// A random UUID (version 4), lower case.
std::string random_uuid();

/// A UUID whose text sorts by `micros` since 1970 (version 7, RFC 9562), otherwise random.
std::string ordered_uuid(std::int64_t micros);

/// True for 8-4-4-4-12 hexadecimal digits in either case.
bool is_uuid(std::string_view text);

/// The UUID in lower case with dashes, if `text` is one in any usual spelling: also in braces, as a
/// URN, or without dashes.
std::optional<std::string> read_uuid(std::string_view text);

}  // namespace molecule

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace molecule {

/// A random UUID (version 4), lower case.
std::string random_uuid();

/// The same UUID for the same two texts, and practically never for others (version 8 of RFC 9562,
/// of a hash): the messageId of what may be sent again later, even by another process.
std::string derived_uuid(std::string_view first, std::string_view second);
/// A UUID whose text sorts by `micros` since 1970 (version 7, RFC 9562), otherwise random.
std::string ordered_uuid(std::int64_t micros);

/// True for 8-4-4-4-12 hexadecimal digits in either case.
bool is_uuid(std::string_view text);

/// The UUID in lower case with dashes, if `text` is one in any usual spelling: also in braces, as a
/// URN, or without dashes.
std::optional<std::string> read_uuid(std::string_view text);

}  // namespace molecule

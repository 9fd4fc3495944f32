#pragma once

#include <string>
#include <string_view>

namespace molecule {

/// A random UUID (version 4), lower case.
std::string random_uuid();

/// The same UUID for the same two texts, and practically never for others (version 8 of RFC 9562,
/// of a hash): the messageId of what may be sent again later, even by another process.
std::string derived_uuid(std::string_view first, std::string_view second);

/// True for 8-4-4-4-12 hexadecimal digits in either case.
bool is_uuid(std::string_view text);

}  // namespace molecule

#pragma once

#include <string>
#include <string_view>

namespace molecule {

/// A random UUID (version 4), lower case.
std::string random_uuid();

/// True for 8-4-4-4-12 hexadecimal digits in either case.
bool is_uuid(std::string_view text);

}  // namespace molecule

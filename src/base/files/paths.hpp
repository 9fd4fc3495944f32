#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace molecule::files {

/// A configured path: absolute, or in the home folder (`~`, `~/…`). Any other path would depend on
/// the folder in which the program starts; the error, for people, proposes the absolute path.
Result<std::filesystem::path, std::string> configured_path(std::string_view given,
                                                           const std::filesystem::path& home);

}  // namespace molecule::files

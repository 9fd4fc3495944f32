#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace molecule::files {

/// A path that a person configured: absolute, or below the home folder (`~`, `~/…`). Any other
/// would mean another file in each folder that the program is started in: the failure, for people,
/// proposes the absolute one.
Result<std::filesystem::path, std::string> configured_path(std::string_view given,
                                                           const std::filesystem::path& home);

}  // namespace molecule::files

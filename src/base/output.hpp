#pragma once

#include <string_view>

namespace molecule::output {

/// Writes all of it to stdout. False, said on stderr, where that failed (a full disk): the command
/// has not done what it was asked for, and exits 1. A reader that closed its pipe wants no more:
/// that is no failure.
bool print(std::string_view text);

}  // namespace molecule::output

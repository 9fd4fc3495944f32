#pragma once

#include <string_view>

namespace molecule::output {

/// Writes all of `text` to stdout. If that fails (a full disk), logs why and returns false: the
/// command must exit with 1. A reader that closed its pipe is not a failure.
bool print(std::string_view text);

}  // namespace molecule::output

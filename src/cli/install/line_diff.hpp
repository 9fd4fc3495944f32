#pragma once

#include <string>
#include <string_view>

namespace molecule::cli {

/// What turns `before` into `after`, in the unified form, for people. Empty if nothing does.
std::string line_diff(std::string_view path, std::string_view before, std::string_view after);

}  // namespace molecule::cli

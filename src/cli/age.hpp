#pragma once

#include <string>

#include "base/text/time.hpp"

namespace molecule::cli {

/// The time since `time`, for people: `8 s`, `5 min`, `2 h 10 min`, `3 d 4 h`.
std::string age(WallTime time, WallTime now);

}  // namespace molecule::cli

#pragma once

#include <string>

#include "molecule/base/time.hpp"

namespace molecule::app {

/// How long ago `time` was, for people: `8 s`, `5 min`, `2 h 10 min`, `3 d 4 h`.
std::string age(WallTime time, WallTime now);

}  // namespace molecule::app

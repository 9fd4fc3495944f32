#pragma once

// Headers that nearly every file includes, parsed once per target instead of once per file. No file
// may rely on it; builds without precompiled headers (g++, ccache) reveal those that do.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/async/asio.hpp"

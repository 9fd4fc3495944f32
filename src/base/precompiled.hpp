#pragma once

// Parsed once a target instead of once a file: what nearly every file includes anyway. No file may
// rely on it; builds without precompiled headers (g++, ccache) tell.

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

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "molecule/base/result.hpp"
#include "molecule/net/http_client.hpp"

namespace molecule::tools {

// What the receiving side takes (platform-api.md 4.5), checked before anything is sent.
inline constexpr std::size_t most_files = 64;
inline constexpr std::int64_t most_file_bytes = std::int64_t{25} << 20;
inline constexpr std::int64_t most_total_bytes = std::int64_t{50} << 20;

/// Checks that all paths are absolute and name regular, readable files within the limits above;
/// a problem is one sentence that names the file. Touches metadata only; no device or pipe is
/// waited for.
Result<std::vector<net::FormFile>, std::string> check_attachments(
    const std::vector<std::string>& paths);

/// By the file's extension; `application/octet-stream` for unknown ones.
std::string_view mime_type(std::string_view filename);

}  // namespace molecule::tools

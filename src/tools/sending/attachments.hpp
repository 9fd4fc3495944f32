#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "net/http_client.hpp"
#include "platform/client.hpp"
#include "workspace/config/config.hpp"

namespace molecule::tools {

/// A file of this machine that is to be sent.
struct LocalFile {
  net::FormFile form;
  std::int64_t bytes = 0;
};

/// The files at these paths; a path that is not absolute, or names no regular, readable, stored
/// file, or one of the sender's own secrets, is a problem: one sentence that names it. Reads only
/// metadata and never blocks on a device or pipe.
Result<std::vector<LocalFile>, std::string> find_files(const std::vector<std::string>& paths,
                                                       const workspace::WorkspaceConfig& sender);

/// Why the platform would refuse these files: one sentence; empty if it would accept them.
std::string over_limits(const std::vector<LocalFile>& files, const platform::UploadLimits& limits);

/// By the file's extension; `application/octet-stream` for unknown ones.
std::string_view mime_type(std::string_view filename);

}  // namespace molecule::tools

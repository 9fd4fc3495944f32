#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/files/open.hpp"
#include "base/result.hpp"

namespace molecule::files {

/// A failed system call: `code` is its errno, `message` says what failed on which path.
struct Error {
  int code = 0;
  std::string message;
};

/// The whole of a regular file, at most `limit` bytes (a larger one gives EFBIG). Never waits.
Result<std::string, Error> read(const std::filesystem::path& path, std::size_t limit = 1 << 20,
                                Links links = Links::refuse);

/// Replaces the file by rename, so that a reader or a crash sees the old or the new content and
/// nothing between; durable (fsync of file and folder) when it returns. The file has `mode` from
/// its first byte.
Result<void, Error> replace(const std::filesystem::path& path, std::string_view content,
                            mode_t mode = 0600);

/// Makes the folder and its missing parents, the new ones with mode 0700.
Result<void, Error> make_private_folder(const std::filesystem::path& path);

/// Whether a file can be made in the folder, tried by making one.
Result<void, Error> check_writable(const std::filesystem::path& folder);

}  // namespace molecule::files

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

/// Reads a whole regular file of at most `limit` bytes (EFBIG if it is larger). Never blocks.
Result<std::string, Error> read(const std::filesystem::path& path, std::size_t limit = 1 << 20,
                                Links links = Links::refuse);

/// Replaces the file by rename, so that readers see either the old or the new content, even after a
/// crash; durable (fsync of file and folder) when it returns. The file has `mode` from its first
/// byte.
Result<void, Error> replace(const std::filesystem::path& path, std::string_view content,
                            mode_t mode = 0600);

/// Creates the folder and its missing parents with mode 0700.
Result<void, Error> make_private_folder(const std::filesystem::path& path);

/// Checks that a file can be created in the folder, by creating one.
Result<void, Error> check_writable(const std::filesystem::path& folder);

}  // namespace molecule::files

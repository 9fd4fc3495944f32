#pragma once

#include <filesystem>

namespace molecule::files {

/// What a folder's file system can do, tried with a temporary file. Each member is 0 if it works,
/// otherwise the errno of the call that failed.
struct Abilities {
  int make = 0;           ///< creating a file; if that fails, nothing else is tried
  int write = 0;          ///< and reading the bytes back
  int sync = 0;           ///< fsync
  int lock = 0;           ///< record locks, as SQLite uses them
  int shared_memory = 0;  ///< a shared mmap of a file
};

Abilities try_folder(const std::filesystem::path& folder);
/// These check one ability alone. They also return 0 if no file could be created to try it with.
int lock_failure(const std::filesystem::path& folder);
int shared_memory_failure(const std::filesystem::path& folder);

}  // namespace molecule::files

#pragma once

#include <filesystem>

namespace molecule::files {

/// What a folder's file system can do, tried with a file that goes away again. Each is 0 where it
/// works, else the errno of the call that failed.
struct Abilities {
  int make = 0;           ///< making a file; where that fails, nothing else was tried
  int write = 0;          ///< including that the bytes are read back
  int sync = 0;           ///< fsync
  int lock = 0;           ///< record locks, as SQLite uses them
  int shared_memory = 0;  ///< mmap of a file that several processes share
};

Abilities try_folder(const std::filesystem::path& folder);
/// The last two alone. 0 also where no file could be made to try it with.
int lock_failure(const std::filesystem::path& folder);
int shared_memory_failure(const std::filesystem::path& folder);

}  // namespace molecule::files

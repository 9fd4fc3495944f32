#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace molecule {

/// A file by which processes know of each other: locks on single bytes, which the kernel releases
/// however their holder ends, and two numbers that anybody may read and write. Nothing in it is
/// worth keeping over a restart, so nothing is synced to the disk.
///
/// Where the file cannot be made (a folder that cannot be written), nothing is locked.
class LockFile {
 public:
  struct Note {
    std::int64_t who = 0;
    std::int64_t when = 0;
  };

  /// Touches no disk: the first use opens the file, making it (0600).
  explicit LockFile(std::filesystem::path path);
  /// For looking only: the file is not made, and `lock` and `write_note` do nothing.
  struct ReadOnly {};
  LockFile(std::filesystem::path path, ReadOnly);
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;
  /// Releases this object's locks.
  ~LockFile();

  /// False where the file cannot be opened, so that nothing is known of the locks of others; each
  /// use tries again. One that only looks knows that where there is no file there are no locks.
  bool usable() { return read_only_ || descriptor() >= 0; }
  /// Takes the lock unless somebody else holds it; false then, or where there is no file.
  bool lock(std::int64_t byte);
  /// Takes a lock that others can share, unless somebody holds it alone.
  bool share(std::int64_t byte);
  void unlock(std::int64_t byte);
  /// Whether somebody else, in this process or another, holds the lock, alone or
  /// shared.
  bool locked_elsewhere(std::int64_t byte);

  std::optional<Note> note();
  void write_note(Note note);

 private:
  int descriptor();

  std::filesystem::path path_;
  bool read_only_ = false;
  int fd_ = -1;
};

}  // namespace molecule

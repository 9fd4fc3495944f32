#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace molecule {

/// A file by which processes know of each other: locks on single bytes, which the kernel releases
/// however their holder ends, and two numbers that anybody may read and write. Nothing in it is
/// worth keeping over a restart, so nothing is synced to the disk.
///
/// The locks are those of the open file; where a system has only those of the process (some
/// sandboxes and network file systems), those, with the holders of this process told apart here.
/// Where it has none, or the file cannot be made, nothing is locked and `usable` is false: that
/// nobody is seen then does not mean that nobody is there.
///
/// A file that was removed or replaced while it was in use is opened again, with its locks.
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

  /// False where nothing is known of the locks of others; each use tries again. One that only looks
  /// knows that where there is no file there are no locks.
  bool usable();
  /// Why it is not usable, for people; empty where it is.
  std::string problem();
  /// Takes the lock unless somebody else holds it; false then, or where it is not usable.
  bool lock(std::int64_t byte);
  /// Takes a lock that others can share, unless somebody holds it alone.
  bool share(std::int64_t byte);
  void unlock(std::int64_t byte);
  /// Whether somebody else, in this process or another, holds the lock, alone or shared; false
  /// where it is not usable.
  bool locked_elsewhere(std::int64_t byte);

  std::optional<Note> note();
  void write_note(Note note);

 private:
  class File;
  enum class Outcome { done, held, impossible };

  /// The open file, or null.
  File* file();
  void open();
  bool take(std::int64_t byte, int type);
  Outcome look(std::int64_t byte);
  /// From the locks of open files to those of the process; false where that changes nothing.
  bool use_process_locks();

  std::filesystem::path path_;
  bool read_only_ = false;
  std::shared_ptr<File> file_;
  /// This object's locks, by byte.
  std::map<std::int64_t, int> held_;
  /// errno of the last use that failed for another reason than a holder.
  int failure_ = 0;
  /// Locks were tried on the open file.
  bool tried_ = false;
};

}  // namespace molecule

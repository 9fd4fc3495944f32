#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace molecule {

/// A file through which processes learn of each other: locks on single bytes, which the kernel
/// releases however their holder ends, a number that each of them shows, and two numbers that
/// anybody may read and write. Nothing in it outlives a restart of the machine, so nothing is
/// synced to disk.
///
/// The locks belong to the open file. Systems that support only process locks (some sandboxes and
/// network file systems) get those, and this class tells the holders within the process apart. If
/// there are no locks at all, or the file cannot be created, nothing is locked and `usable` returns
/// false: other holders cannot be seen then, which does not mean that there are none.
///
/// If the file is removed or replaced while in use, it is reopened and its locks are taken again.
class LockFile {
 public:
  struct Note {
    std::int64_t who = 0;
    std::int64_t when = 0;
  };

  /// Touches no disk: the first use opens the file, creating it (0600) if necessary.
  explicit LockFile(const std::filesystem::path& path);
  /// For observers: the file is not created, and `lock` and `write_note` do nothing.
  struct ReadOnly {};
  LockFile(const std::filesystem::path& path, ReadOnly);
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;
  /// Releases this object's locks.
  ~LockFile();

  /// False if the locks of others are unknown; each use tries again. For an observer a missing file
  /// means that there are no locks.
  bool usable();
  /// Why it is not usable, for people; empty if it is.
  std::string problem();
  /// Takes the lock. Returns false if somebody else holds it, or if the file is not usable.
  bool lock(std::int64_t byte);
  /// Takes a shared lock. Returns false if somebody holds the exclusive one.
  bool share(std::int64_t byte);
  void unlock(std::int64_t byte);
  /// True if somebody else, in this process or another, holds the lock, exclusive or shared. False
  /// if the file is not usable.
  bool locked_elsewhere(std::int64_t byte);

  /// True if somebody else holds the lock of any byte from `first` on.
  bool any_locked_elsewhere(std::int64_t first);

  /// Shows a number that is not negative to the others, instead of the one shown before. It is the
  /// position of a lock: it ends with this object, and the disk has no work. False if the file is
  /// not usable.
  bool show(std::int64_t number);
  /// The highest number that anybody shows, this object included; negative if nobody does.
  std::int64_t highest_shown();

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
  /// Switches from the open file's locks to process locks. Returns false if nothing changed.
  bool use_process_locks();

  /// No `path`, which takes half a kilobyte: a process may have thousands of these.
  std::string path_;
  bool read_only_ = false;
  std::shared_ptr<File> file_;
  /// This object's locks, by byte.
  std::map<std::int64_t, int> held_;
  /// The byte of the number that this object shows; 0 if it shows none.
  std::int64_t shown_ = 0;
  /// errno of the last failure that was not a conflict with a holder.
  int failure_ = 0;
  /// True once locks were tried on the open file.
  bool tried_ = false;
};

}  // namespace molecule

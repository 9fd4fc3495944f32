#include "base/files/lock_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "base/files/open.hpp"
#include "base/log.hpp"

namespace molecule {

namespace {

// Locks of the open file description: unlike process locks they survive when another part of the
// process closes the same file, and two in one process exclude each other.
#if defined(F_OFD_SETLK) && defined(MOLECULE_LINUX)
constexpr bool has_file_locks = true;
constexpr int set_file_lock = F_OFD_SETLK;
constexpr int get_file_lock = F_OFD_GETLK;
#else
constexpr bool has_file_locks = false;
constexpr int set_file_lock = F_SETLK;
constexpr int get_file_lock = F_GETLK;
#endif

/// Never locked exclusively: used to try whether locks work at all.
constexpr std::int64_t trial_byte = 0;
/// A shown number is a shared lock of the byte at this offset and the number. Other locks are
/// below.
constexpr std::int64_t first_shown = std::int64_t{1} << 60;

struct flock one_byte(std::int64_t byte, int type) {
  struct flock lock{};
  lock.l_type = static_cast<short>(type);
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

using Bytes = std::array<char, sizeof(LockFile::Note)>;

}  // namespace

/// An open file and the locks taken through it. With process locks one `File` serves all objects of
/// this process and is closed last, as closing any descriptor of the file drops the locks.
class LockFile::File {
 public:
  explicit File(int fd) : fd_(fd), identity_(*files::identity(fd)), of_process_(!has_file_locks) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (of_process_) {
      shared().erase(identity_);
    } else if (const auto other = find(identity_)) {
      other->later_.push_back(fd_);
      return;
    }
    for (const int later : later_) ::close(later);
    ::close(fd_);
  }

  int fd() const { return fd_; }
  const files::Identity& identity() const { return identity_; }
  bool of_process() const { return of_process_; }

  /// The file with process locks, if there is one.
  static std::shared_ptr<File> find(const files::Identity& identity) {
    const auto found = shared().find(identity);
    return found != shared().end() ? found->second.lock() : nullptr;
  }

  static void share(const std::shared_ptr<File>& file) {
    file->of_process_ = true;
    shared()[file->identity_] = file;
  }

  Outcome set(const LockFile* who, std::int64_t byte, int type) {
    if (held_here(who, byte, type)) return Outcome::held;
    struct flock wanted = one_byte(byte, type);
    if (::fcntl(fd_, of_process_ ? F_SETLK : set_file_lock, &wanted) != 0) {
      return errno == EACCES || errno == EAGAIN ? Outcome::held : Outcome::impossible;
    }
    if (of_process_) holders_[byte][who] = type;
    return Outcome::done;
  }

  void release(const LockFile* who, std::int64_t byte) {
    const auto here = holders_.find(byte);
    if (here != holders_.end()) {
      here->second.erase(who);
      // Others still share it.
      if (!here->second.empty()) return;
      holders_.erase(here);
    }
    struct flock released = one_byte(byte, F_UNLCK);
    ::fcntl(fd_, of_process_ ? F_SETLK : set_file_lock, &released);
  }

  /// A byte from `first` on, and before `end`, whose lock another holder has; negative if there is
  /// none.
  std::int64_t any_from(const LockFile* who, std::int64_t first, std::int64_t end) const {
    for (auto here = holders_.lower_bound(first); here != holders_.end(); ++here) {
      if (here->first < end && held_here(who, here->first, F_WRLCK)) return here->first;
    }
    struct flock wanted = one_byte(first, F_WRLCK);
    wanted.l_len = end - first;
    const bool held = ::fcntl(fd_, of_process_ ? F_GETLK : get_file_lock, &wanted) == 0 &&
                      wanted.l_type != F_UNLCK;
    return held ? wanted.l_start : -1;
  }

  /// Returns `done` if nobody else holds it.
  Outcome look(const LockFile* who, std::int64_t byte) const {
    if (held_here(who, byte, F_WRLCK)) return Outcome::held;
    struct flock wanted = one_byte(byte, F_WRLCK);
    if (::fcntl(fd_, of_process_ ? F_GETLK : get_file_lock, &wanted) != 0) {
      return Outcome::impossible;
    }
    return wanted.l_type == F_UNLCK ? Outcome::done : Outcome::held;
  }

 private:
  static std::map<files::Identity, std::weak_ptr<File>>& shared() {
    static std::map<files::Identity, std::weak_ptr<File>> files;
    return files;
  }

  /// True if another object in this process holds a conflicting lock.
  bool held_here(const LockFile* who, std::int64_t byte, int type) const {
    const auto here = holders_.find(byte);
    if (here == holders_.end()) return false;
    return std::ranges::any_of(here->second, [who, type](const auto& holder) {
      return holder.first != who && (type == F_WRLCK || holder.second == F_WRLCK);
    });
  }

  int fd_;
  files::Identity identity_;
  bool of_process_;
  /// Holders of process locks.
  std::map<std::int64_t, std::map<const LockFile*, int>> holders_;
  std::vector<int> later_;
};

LockFile::LockFile(const std::filesystem::path& path) : path_(path.string()) {}

LockFile::LockFile(const std::filesystem::path& path, ReadOnly)
    : path_(path.string()), read_only_(true) {}

LockFile::~LockFile() {
  if (!file_) return;
  for (const auto& [byte, type] : held_) file_->release(this, byte);
}

LockFile::File* LockFile::file() {
  if (file_) {
    const auto named = files::identity(path_);
    const bool unknown = !named && errno != ENOENT && errno != ENOTDIR;
    if (unknown || named == file_->identity()) return file_.get();
    if (!read_only_) {
      log::warning("{} was removed or replaced while it was in use: opening it again", path_);
    }
    file_.reset();
  }
  open();
  return file_.get();
}

void LockFile::open() {
  tried_ = false;
  if (const auto named = files::identity(path_)) file_ = File::find(*named);
  if (!file_) {
    const int fd = files::open_regular(path_, read_only_ ? O_RDONLY : O_RDWR | O_CREAT);
    failure_ = fd < 0 ? errno : 0;
    if (fd < 0) return;
    file_ = std::make_shared<File>(fd);
    if (file_->of_process()) File::share(file_);
  }
  for (const auto& [byte, type] : std::exchange(held_, {})) take(byte, type);
}

bool LockFile::use_process_locks() {
  // Locks already taken through the open file would conflict with them.
  if (file_->of_process() || !held_.empty()) return false;
  if (auto other = File::find(file_->identity())) {
    file_ = std::move(other);
  } else {
    File::share(file_);
  }
  return true;
}

bool LockFile::take(std::int64_t byte, int type) {
  if (read_only_ || file() == nullptr) return false;
  Outcome outcome = file_->set(this, byte, type);
  if (outcome == Outcome::impossible && use_process_locks()) outcome = file_->set(this, byte, type);
  failure_ = outcome == Outcome::impossible ? errno : 0;
  if (outcome != Outcome::done) return false;
  held_[byte] = type;
  return true;
}

LockFile::Outcome LockFile::look(std::int64_t byte) {
  Outcome outcome = file_->look(this, byte);
  if (outcome == Outcome::impossible && use_process_locks()) outcome = file_->look(this, byte);
  failure_ = outcome == Outcome::impossible ? errno : 0;
  return outcome;
}

bool LockFile::usable() {
  if (file() == nullptr) return read_only_ && (failure_ == ENOENT || failure_ == ENOTDIR);
  if (tried_ && failure_ == 0) return true;
  if (read_only_) {
    tried_ = look(trial_byte) != Outcome::impossible;
  } else {
    tried_ = share(trial_byte);
    if (tried_) unlock(trial_byte);
  }
  return tried_;
}

std::string LockFile::problem() {
  if (usable()) return {};
  return fmt::format("{} {}: {}", file_ ? "no lock can be taken in" : "cannot open", path_,
                     files::reason(failure_));
}

bool LockFile::lock(std::int64_t byte) {
  return take(byte, F_WRLCK);
}

bool LockFile::share(std::int64_t byte) {
  return take(byte, F_RDLCK);
}

void LockFile::unlock(std::int64_t byte) {
  held_.erase(byte);
  if (file() != nullptr) file_->release(this, byte);
}

bool LockFile::show(std::int64_t number) {
  const std::int64_t byte = first_shown + number;
  const std::int64_t before = shown_;
  if (byte == before) return true;
  // The new one first: the others always see one.
  if (!share(byte)) return false;
  shown_ = byte;
  if (before != 0) unlock(before);
  return true;
}

std::int64_t LockFile::highest_shown() {
  if (file() == nullptr) return -1;
  std::int64_t highest = shown_;
  std::int64_t next = std::max(shown_ + 1, first_shown);
  while (true) {
    const std::int64_t found =
        file_->any_from(this, next, std::numeric_limits<std::int64_t>::max());
    if (found < 0) break;
    highest = std::max(highest, found);
    next = std::max(found, next) + 1;
  }
  return highest - first_shown;
}

bool LockFile::locked_elsewhere(std::int64_t byte) {
  return file() != nullptr && look(byte) == Outcome::held;
}

bool LockFile::any_locked_elsewhere(std::int64_t first) {
  return file() != nullptr && file_->any_from(this, first, first_shown) >= 0;
}

std::optional<LockFile::Note> LockFile::note() {
  Bytes bytes{};
  const ssize_t size = file() != nullptr ? ::pread(file_->fd(), bytes.data(), bytes.size(), 0) : -1;
  if (size != static_cast<ssize_t>(bytes.size())) return std::nullopt;
  Note note;
  std::memcpy(&note, bytes.data(), bytes.size());
  return note;
}

void LockFile::write_note(Note note) {
  if (read_only_ || file() == nullptr) return;
  Bytes bytes{};
  std::memcpy(bytes.data(), &note, bytes.size());
  // If this fails, the note grows old, which is what its readers check.
  [[maybe_unused]] const ssize_t ignored = ::pwrite(file_->fd(), bytes.data(), bytes.size(), 0);
}

}  // namespace molecule

#include "base/files/lock_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <utility>

namespace molecule {

namespace {

// Locks of the open file description: unlike those of the process they do not vanish when some
// other part of it closes the same file, and two of one process exclude each other.
#ifdef F_OFD_SETLK
constexpr int set_lock = F_OFD_SETLK;
constexpr int get_lock = F_OFD_GETLK;
#else
constexpr int set_lock = F_SETLK;
constexpr int get_lock = F_GETLK;
#endif

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

LockFile::LockFile(std::filesystem::path path) : path_(std::move(path)) {}

LockFile::LockFile(std::filesystem::path path, ReadOnly)
    : path_(std::move(path)), read_only_(true) {}

LockFile::~LockFile() {
  if (fd_ >= 0) ::close(fd_);
}

int LockFile::descriptor() {
  const int how = read_only_ ? O_RDONLY : O_RDWR | O_CREAT;
  if (fd_ < 0) fd_ = ::open(path_.c_str(), how | O_CLOEXEC | O_NOFOLLOW, 0600);
  return fd_;
}

bool LockFile::lock(std::int64_t byte) {
  struct flock wanted = one_byte(byte, F_WRLCK);
  return ::fcntl(descriptor(), set_lock, &wanted) == 0;
}

bool LockFile::share(std::int64_t byte) {
  struct flock wanted = one_byte(byte, F_RDLCK);
  return ::fcntl(descriptor(), set_lock, &wanted) == 0;
}

void LockFile::unlock(std::int64_t byte) {
  struct flock released = one_byte(byte, F_UNLCK);
  ::fcntl(descriptor(), set_lock, &released);
}

bool LockFile::locked_elsewhere(std::int64_t byte) {
  struct flock wanted = one_byte(byte, F_WRLCK);
  return ::fcntl(descriptor(), get_lock, &wanted) == 0 && wanted.l_type != F_UNLCK;
}

std::optional<LockFile::Note> LockFile::note() {
  Bytes bytes{};
  const ssize_t size = ::pread(descriptor(), bytes.data(), bytes.size(), 0);
  if (size != static_cast<ssize_t>(bytes.size())) return std::nullopt;
  Note note;
  std::memcpy(&note, bytes.data(), bytes.size());
  return note;
}

void LockFile::write_note(Note note) {
  Bytes bytes{};
  std::memcpy(bytes.data(), &note, bytes.size());
  // Where it fails, the note grows old: that is what its readers look at.
  [[maybe_unused]] const ssize_t ignored = ::pwrite(descriptor(), bytes.data(), bytes.size(), 0);
}

}  // namespace molecule

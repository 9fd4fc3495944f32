#include "base/files/abilities.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "base/random.hpp"

namespace molecule::files {

namespace {

/// An unnamed temporary file; on file systems without those, one that is unlinked at once.
class Probe {
 public:
  explicit Probe(const std::filesystem::path& folder) {
#ifdef O_TMPFILE
    fd_ = ::open(folder.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (fd_ >= 0) return;
#endif
    const std::filesystem::path name = folder / fmt::format(".probe.{}", random_token(6));
    fd_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd_ < 0) {
      code_ = errno;
    } else {
      ::unlink(name.c_str());
    }
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe() {
    if (fd_ >= 0) ::close(fd_);
  }

  /// 0, or the errno of the failed open.
  int failure() const { return code_; }

  int write() const {
    constexpr std::string_view text = "probe";
    const ssize_t written = ::pwrite(fd_, text.data(), text.size(), 0);
    if (written < 0) return errno;
    std::array<char, text.size()> back{};
    const ssize_t got = ::pread(fd_, back.data(), back.size(), 0);
    if (got < 0) return errno;
    return std::string_view(back.data(), static_cast<std::size_t>(got)) == text ? 0 : EIO;
  }

  int sync() const { return ::fsync(fd_) == 0 ? 0 : errno; }

  int lock() const {
    struct flock wanted{};
    wanted.l_type = F_WRLCK;
    wanted.l_whence = SEEK_SET;
    wanted.l_len = 1;
    if (::fcntl(fd_, F_SETLK, &wanted) != 0) return errno;
    // SQLite also queries locks.
    return ::fcntl(fd_, F_GETLK, &wanted) == 0 ? 0 : errno;
  }

  int share_memory() const {
    constexpr std::size_t size = 4096;
    // A full disk says nothing about mappings.
    if (::ftruncate(fd_, size) != 0) return 0;
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (memory == MAP_FAILED) return errno == ENOMEM || errno == EAGAIN ? 0 : errno;
    ::munmap(memory, size);
    return 0;
  }

 private:
  int fd_ = -1;
  int code_ = 0;
};

}  // namespace

Abilities try_folder(const std::filesystem::path& folder) {
  const Probe probe(folder);
  Abilities found;
  found.make = probe.failure();
  if (found.make != 0) return found;
  found.write = probe.write();
  found.sync = probe.sync();
  found.lock = probe.lock();
  found.shared_memory = probe.share_memory();
  return found;
}

int lock_failure(const std::filesystem::path& folder) {
  const Probe probe(folder);
  return probe.failure() == 0 ? probe.lock() : 0;
}

int shared_memory_failure(const std::filesystem::path& folder) {
  const Probe probe(folder);
  return probe.failure() == 0 ? probe.share_memory() : 0;
}

}  // namespace molecule::files

#include "base/files/open.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#ifdef MOLECULE_LINUX
#include <linux/magic.h>
#include <sys/vfs.h>
#endif

namespace molecule::files {

namespace {

/// An errno that no system call on an existing file returns.
constexpr int not_regular = ENOTBLK;

Identity identity(const struct stat& status) {
  return {.device = status.st_dev, .inode = status.st_ino};
}

/// 0 if the open file may be used, otherwise an errno.
int check(int fd, bool writing) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  if (!S_ISREG(status.st_mode)) return not_regular;
  const bool loose = (status.st_mode & 077) != 0 && status.st_uid == ::geteuid();
  // Ignore failures: some file systems have no modes.
  if (writing && loose) ::fchmod(fd, 0600);
  return 0;
}

}  // namespace

std::optional<Identity> identity(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return std::nullopt;
  return identity(status);
}

std::optional<Identity> identity(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return std::nullopt;
  return identity(status);
}

std::optional<Fingerprint> fingerprint(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return std::nullopt;
#ifdef __APPLE__
  const timespec& written = status.st_mtimespec;
#else
  const timespec& written = status.st_mtim;
#endif
  return Fingerprint{.identity = identity(status),
                     .size = status.st_size,
                     .written = std::int64_t{written.tv_sec} * 1'000'000'000 + written.tv_nsec};
}

bool still_named(const std::string& path, int fd) {
  const auto named = identity(path);
  return named && named == identity(fd);
}

int open_regular(const std::string& path, int flags, Links links) {
  const int follow = links == Links::refuse ? O_NOFOLLOW : 0;
  const int fd = ::open(path.c_str(), flags | follow | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
  if (fd < 0) {
    // A socket, or a FIFO without a reader.
    if (errno == ENXIO) errno = not_regular;
    return -1;
  }
  const int code = check(fd, (flags & O_ACCMODE) != O_RDONLY);
  if (code == 0) return fd;
  ::close(fd);
  errno = code;
  return -1;
}

bool sync(int fd) {
#ifdef MOLECULE_LINUX
  return ::fdatasync(fd) == 0;
#else
#ifdef F_FULLFSYNC
  if (::fcntl(fd, F_FULLFSYNC) == 0) return true;
#endif
  return ::fsync(fd) == 0;
#endif
}

std::string reason(int code) {
  if (code == not_regular) return "it is not a regular file";
  if (code == ELOOP) return "it is a symbolic link, which is not followed";
  return std::strerror(code);
}

#ifdef MOLECULE_LINUX

bool is_stored(int fd) {
  // Numbers stand for names that older system headers lack.
  constexpr std::array<unsigned long, 17> made_up{
      PROC_SUPER_MAGIC,    SYSFS_MAGIC,   DEVPTS_SUPER_MAGIC, CGROUP_SUPER_MAGIC,
      CGROUP2_SUPER_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC,      SECURITYFS_MAGIC,
      SELINUX_MAGIC,       SMACK_MAGIC,   EFIVARFS_MAGIC,     PSTOREFS_MAGIC,
      BINFMTFS_MAGIC,      BPF_FS_MAGIC,  NSFS_MAGIC,         0x62656570 /* configfs */,
      0x19800202 /* mqueue */};
  struct statfs about{};
  if (::fstatfs(fd, &about) != 0) return false;
  return std::ranges::find(made_up, static_cast<unsigned long>(about.f_type)) == made_up.end();
}

#else

bool is_stored(int) {
  return true;
}

#endif

}  // namespace molecule::files

/* LD_PRELOAD library that simulates a failing disk for one process. Writes to regular files, and
 * calls that create or grow them, fail with the errno in the four bytes of the file DISK_FAULT; 0
 * means a healthy disk. Pipes, sockets and reads are not affected. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int fault(void) {
  static const volatile int32_t* error;
  if (error == NULL) {
    const char* name = getenv("DISK_FAULT");
    int fd = name != NULL ? (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC) : -1;
    void* page = mmap(NULL, sizeof *error, PROT_READ, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) abort();
    close(fd);
    error = page;
  }
  return *error;
}

static int refused(int fd) {
  int error = fault();
  struct stat about;
  if (error == 0 || fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) return 0;
  errno = error;
  return 1;
}

ssize_t write(int fd, const void* data, size_t size) {
  return refused(fd) ? -1 : syscall(SYS_write, fd, data, size);
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  return refused(fd) ? -1 : syscall(SYS_pwrite64, fd, data, size, at);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  return pwrite64(fd, data, size, at);
}

ssize_t writev(int fd, const struct iovec* parts, int count) {
  return refused(fd) ? -1 : syscall(SYS_writev, fd, parts, count);
}

int fallocate64(int fd, int mode, off64_t at, off64_t size) {
  return refused(fd) ? -1 : (int)syscall(SYS_fallocate, fd, mode, at, size);
}

int posix_fallocate64(int fd, off64_t at, off64_t size) {
  return refused(fd) || syscall(SYS_fallocate, fd, 0, at, size) != 0 ? errno : 0;
}

int fsync(int fd) { return refused(fd) ? -1 : (int)syscall(SYS_fsync, fd); }

int fdatasync(int fd) { return refused(fd) ? -1 : (int)syscall(SYS_fdatasync, fd); }

static int opened(int folder, const char* name, int flags, mode_t mode) {
  if ((flags & O_CREAT) != 0 && faccessat(folder, name, F_OK, 0) != 0) {
    int error = fault();
    if (error != 0) {
      errno = error;
      return -1;
    }
  }
  return (int)syscall(SYS_openat, folder, name, flags, mode);
}

static mode_t mode_of(int flags, va_list more) {
  return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
}

#define OPEN(name, ...)                             \
  va_list more;                                     \
  va_start(more, flags);                            \
  mode_t mode = mode_of(flags, more);               \
  va_end(more);                                     \
  return opened(__VA_ARGS__, name, flags, mode)

int open(const char* name, int flags, ...) { OPEN(name, AT_FDCWD); }
int open64(const char* name, int flags, ...) { OPEN(name, AT_FDCWD); }
int openat(int folder, const char* name, int flags, ...) { OPEN(name, folder); }
int openat64(int folder, const char* name, int flags, ...) { OPEN(name, folder); }

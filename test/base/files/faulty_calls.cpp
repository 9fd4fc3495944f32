// Replaces these calls in this program and, as it exports its symbols, in SQLite's library.

#include "files/faulty_calls.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

namespace molecule::test {

namespace {
Faults active;

int refused(int command) {
  const bool of_file = command == F_OFD_SETLK || command == F_OFD_SETLKW || command == F_OFD_GETLK;
  const bool of_process = command == F_SETLK || command == F_SETLKW || command == F_GETLK;
  if (of_file && active.file_locks != 0) return active.file_locks;
  return of_file || of_process ? active.all_locks : 0;
}
}  // namespace

FaultyCalls::FaultyCalls(Faults faults) {
  active = faults;
}

FaultyCalls::~FaultyCalls() {
  active = {};
}

extern "C" {

int fcntl(int fd, int command, ...) {
  va_list more;
  va_start(more, command);
  void* argument = va_arg(more, void*);
  va_end(more);
  if (const int code = refused(command); code != 0) {
    errno = code;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fcntl, fd, command, argument));
}

int fcntl64(int fd, int command, ...) __attribute__((alias("fcntl")));

void* mmap(void* at, size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  if (active.shared_memory != 0 && fd >= 0 && (flags & MAP_SHARED) != 0) {
    errno = active.shared_memory;
    return MAP_FAILED;
  }
  return reinterpret_cast<void*>(::syscall(SYS_mmap, at, size, protection, flags, fd, offset));
}

void* mmap64(void* at, size_t size, int protection, int flags, int fd, off_t offset) noexcept
    __attribute__((alias("mmap")));

}  // extern "C"

}  // namespace molecule::test

/* LD_PRELOAD library: a file system that lacks what others have. The variables hold error numbers:
 * REFUSE_FILE_LOCKS for record locks of open files, REFUSE_LOCKS for all record locks,
 * REFUSE_SHARED_MEMORY for shared mappings of files. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int told(const char* name) {
  const char* value = getenv(name);
  return value != NULL ? atoi(value) : 0;
}

static int refused(int command) {
  int of_file = command == F_OFD_SETLK || command == F_OFD_SETLKW || command == F_OFD_GETLK;
  int of_process = command == F_SETLK || command == F_SETLKW || command == F_GETLK;
  int code = of_file ? told("REFUSE_FILE_LOCKS") : 0;
  if (code == 0 && (of_file || of_process)) code = told("REFUSE_LOCKS");
  errno = code;
  return code;
}

#define FCNTL(name)                                                                       \
  int name(int fd, int command, ...) {                                                    \
    va_list more;                                                                         \
    va_start(more, command);                                                              \
    void* argument = va_arg(more, void*);                                                 \
    va_end(more);                                                                         \
    return refused(command) ? -1 : (int)syscall(SYS_fcntl, fd, command, argument);        \
  }
FCNTL(fcntl)
FCNTL(fcntl64)

#define MMAP(name)                                                                        \
  void* name(void* at, size_t size, int protection, int flags, int fd, off64_t offset) {  \
    int code = fd >= 0 && (flags & MAP_SHARED) ? told("REFUSE_SHARED_MEMORY") : 0;        \
    errno = code;                                                                         \
    return code ? MAP_FAILED                                                              \
                : (void*)syscall(SYS_mmap, at, size, protection, flags, fd, offset);      \
  }
MMAP(mmap)
MMAP(mmap64)

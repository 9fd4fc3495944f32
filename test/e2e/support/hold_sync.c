/* LD_PRELOAD library: a disk that answers no fsync and no fdatasync while the file exists that
 * HOLD_SYNC names. */
#include <sys/syscall.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void wait_for_the_disk(void) {
  const char* file = getenv("HOLD_SYNC");
  const struct timespec pause = {0, 1000000};
  while (file != NULL && access(file, F_OK) == 0) nanosleep(&pause, NULL);
}

int fsync(int fd) {
  wait_for_the_disk();
  return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
  wait_for_the_disk();
  return (int)syscall(SYS_fdatasync, fd);
}

// A slower disk: every fsync and fdatasync takes SLOW_SYNC_MICROS longer. For LD_PRELOAD.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void wait_longer(void) {
  const char* micros = getenv("SLOW_SYNC_MICROS");
  long left = micros != NULL ? atol(micros) : 0;
  struct timespec time = {left / 1000000, (left % 1000000) * 1000};
  nanosleep(&time, NULL);
}

int fsync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  wait_longer();
  return real(fd);
}

int fdatasync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  wait_longer();
  return real(fd);
}

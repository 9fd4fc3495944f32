/* LD_PRELOAD library that makes time run SPEEDUP times as fast for one process: clocks are scaled
 * up, timeouts down. So the tests see a 20 s heartbeat in a fraction of a second while the program
 * under test has no switch for it. Raw system calls are used, because a sanitizer's runtime may ask
 * for the time before this library is initialised.
 *
 * SPEEDUP        factor, a positive integer
 * SPEEDUP_EPOCH  Unix time in seconds at which the scaled and the real calendar agree; processes
 *                with the same factor and epoch share one calendar, also after a restart
 * SPEEDUP_JUMP   file of eight bytes, an int64_t: nanoseconds that the calendar and the clock that
 *                counts a suspend are ahead; a test writes it to let a machine sleep and wake */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NANO 1000000000LL

static int64_t factor_;
static int64_t epoch_;
static const volatile int64_t* jump_;

static int64_t nanoseconds(struct timespec t) { return t.tv_sec * NANO + t.tv_nsec; }

static struct timespec as_timespec(int64_t n) {
  struct timespec t = {n / NANO, n % NANO};
  return t;
}

static int64_t factor(void) {
  if (factor_ == 0) {
    const char* text = getenv("SPEEDUP");
    const char* start = getenv("SPEEDUP_EPOCH");
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    epoch_ = start != NULL ? atoll(start) * NANO : nanoseconds(now);
    const char* jump = getenv("SPEEDUP_JUMP");
    if (jump != NULL) {
      int fd = open(jump, O_RDONLY | O_CLOEXEC);
      void* page = mmap(NULL, sizeof *jump_, PROT_READ, MAP_SHARED, fd, 0);
      if (page == MAP_FAILED) abort();
      jump_ = page;
      close(fd);
    }
    int64_t value = text != NULL ? atoll(text) : 1;
    factor_ = value > 0 ? value : 1;
  }
  return factor_;
}

static int calendar(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

static int scaled(clockid_t clock) {
  return calendar(clock) || clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
         clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
}

static int64_t faster(clockid_t clock, int64_t n) {
  int64_t f = factor();
  int64_t jump = jump_ != NULL && (calendar(clock) || clock == CLOCK_BOOTTIME) ? *jump_ : 0;
  return (calendar(clock) ? epoch_ + (n - epoch_) * f : n * f) + jump;
}

/* A duration: never zero where it was not, since zero often has a meaning of its own. */
static int64_t shorter(int64_t n) { return n > 0 ? (n + factor() - 1) / factor() : n; }

static int shorter_ms(int timeout) { return timeout > 0 ? (int)shorter(timeout) : timeout; }

int clock_gettime(clockid_t clock, struct timespec* t) {
  int result = (int)syscall(SYS_clock_gettime, clock, t);
  if (result == 0 && scaled(clock)) *t = as_timespec(faster(clock, nanoseconds(*t)));
  return result;
}

int gettimeofday(struct timeval* t, void* zone) {
  (void)zone;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  t->tv_sec = now.tv_sec;
  t->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* t) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (t != NULL) *t = now.tv_sec;
  return now.tv_sec;
}

/* Absolute expiries are of the monotonic clock: nothing here makes timers of the calendar. */
int timerfd_settime(int fd, int flags, const struct itimerspec* new_value,
                    struct itimerspec* old_value) {
  struct itimerspec value;
  value.it_value = as_timespec(shorter(nanoseconds(new_value->it_value)));
  value.it_interval = as_timespec(shorter(nanoseconds(new_value->it_interval)));
  int result = (int)syscall(SYS_timerfd_settime, fd, flags, &value, old_value);
  if (result == 0 && old_value != NULL) {
    old_value->it_value = as_timespec(nanoseconds(old_value->it_value) * factor());
    old_value->it_interval = as_timespec(nanoseconds(old_value->it_interval) * factor());
  }
  return result;
}

int epoll_pwait(int fd, struct epoll_event* events, int most, int timeout, const sigset_t* mask) {
  return (int)syscall(SYS_epoll_pwait, fd, events, most, shorter_ms(timeout), mask, _NSIG / 8);
}

int epoll_wait(int fd, struct epoll_event* events, int most, int timeout) {
  return epoll_pwait(fd, events, most, timeout, NULL);
}

int ppoll(struct pollfd* fds, nfds_t count, const struct timespec* timeout, const sigset_t* mask) {
  struct timespec value;
  if (timeout != NULL) value = as_timespec(shorter(nanoseconds(*timeout)));
  return (int)syscall(SYS_ppoll, fds, count, timeout != NULL ? &value : NULL, mask, _NSIG / 8);
}

int poll(struct pollfd* fds, nfds_t count, int timeout) {
  struct timespec value = as_timespec(timeout * 1000000LL);
  return ppoll(fds, count, timeout < 0 ? NULL : &value, NULL);
}

int nanosleep(const struct timespec* duration, struct timespec* rest) {
  struct timespec value = as_timespec(shorter(nanoseconds(*duration)));
  return (int)syscall(SYS_nanosleep, &value, rest);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec* until,
                    struct timespec* rest) {
  int64_t n = nanoseconds(*until);
  if (scaled(clock)) {
    n = (flags & TIMER_ABSTIME) && calendar(clock) ? epoch_ + shorter(n - epoch_) : shorter(n);
  }
  struct timespec value = as_timespec(n);
  return syscall(SYS_clock_nanosleep, clock, flags, &value, rest) == 0 ? 0 : errno;
}

int usleep(useconds_t duration) {
  struct timespec value = as_timespec(duration * 1000LL);
  return nanosleep(&value, NULL);
}

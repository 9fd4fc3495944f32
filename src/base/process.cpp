#include "molecule/base/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>
#include <system_error>

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace molecule::process {

bool signal_at_parent_death([[maybe_unused]] int signal) {
#ifdef __linux__
  return ::prctl(PR_SET_PDEATHSIG, signal) == 0;
#else
  return false;
#endif
}

void open_standard_streams() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is this one: those below are open by now.
    if (::open("/dev/null", O_RDWR) < 0) {
      throw std::system_error(errno, std::generic_category(), "cannot open /dev/null");
    }
  }
}

pid_t parent() {
  return ::getppid();
}

bool has_parent(pid_t parent) {
  return ::getppid() == parent;
}

void hold_end_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace molecule::process

#include "molecule/base/process.hpp"

#include <signal.h>
#include <unistd.h>

#include <initializer_list>

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

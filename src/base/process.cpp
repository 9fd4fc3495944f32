#include "base/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <initializer_list>
#include <limits>
#include <system_error>

#ifdef MOLECULE_LINUX
#include <sys/prctl.h>
#endif

namespace molecule::process {

bool signal_at_parent_death([[maybe_unused]] int signal) {
#ifdef MOLECULE_LINUX
  return ::prctl(PR_SET_PDEATHSIG, signal) == 0;
#else
  return false;
#endif
}

void open_standard_streams() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // This is the lowest free number: those below are open by now.
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

std::uint64_t raise_open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::numeric_limits<std::uint64_t>::max();
  rlimit raised = limit;
  raised.rlim_cur = limit.rlim_max;
#ifdef __APPLE__
  // macOS refuses more.
  raised.rlim_cur = std::min<rlim_t>(raised.rlim_cur, OPEN_MAX);
#endif
  const bool done = ::setrlimit(RLIMIT_NOFILE, &raised) == 0;
  return done ? raised.rlim_cur : limit.rlim_cur;
}

void survive_failed_writes() {
  for (const int signal : {SIGPIPE, SIGXFSZ}) ::signal(signal, SIG_IGN);
}

std::vector<int> end_signals() {
  std::vector<int> signals{SIGTERM};
  for (const int signal : {SIGINT, SIGHUP}) {
    struct sigaction present{};
    const bool ignored =
        ::sigaction(signal, nullptr, &present) == 0 && present.sa_handler == SIG_IGN;
    if (!ignored) signals.push_back(signal);
  }
  return signals;
}

void keep_memory_private() {
  const char* told = std::getenv("MOLECULE_ALLOW_CORE_DUMPS");
  if (told != nullptr && *told != '\0') return;
  rlimit limit{};
  // Keep the hard limit, so that child programs may raise theirs again.
  if (::getrlimit(RLIMIT_CORE, &limit) == 0) {
    limit.rlim_cur = 0;
    ::setrlimit(RLIMIT_CORE, &limit);
  }
#ifdef MOLECULE_LINUX
  ::prctl(PR_SET_DUMPABLE, 0);
#endif
}

void hold_end_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace molecule::process

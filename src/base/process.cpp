#include "base/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <initializer_list>
#include <limits>
#include <string_view>
#include <system_error>

#ifdef __GLIBC__
#include <malloc.h>
#endif
#ifdef MOLECULE_LINUX
#include <sys/prctl.h>
#endif
#ifdef __APPLE__
#include <mach-o/dyld.h>
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

std::string own_program() {
#if defined(__linux__)
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  std::string name(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  // An upgrade has replaced the file: the new one has the name.
  constexpr std::string_view replaced = " (deleted)";
  if (name.ends_with(replaced)) name.resize(name.size() - replaced.size());
  return name.empty() ? "molecule-mcp" : name;
#elif defined(__APPLE__)
  std::array<char, PATH_MAX> path{};
  auto size = static_cast<std::uint32_t>(path.size());
  return ::_NSGetExecutablePath(path.data(), &size) == 0 ? path.data() : "molecule-mcp";
#else
  return "molecule-mcp";
#endif
}

pid_t parent() {
  return ::getppid();
}

bool has_parent(pid_t parent) {
  return ::getppid() == parent;
}

void release_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
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

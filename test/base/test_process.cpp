#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "base/output.hpp"
#include "base/process.hpp"

using namespace molecule;

namespace {

/// The result of `look` in a child process.
int in_child(int (*look)()) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(look());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool ends(int signal) {
  const auto signals = process::end_signals();
  return std::ranges::find(signals, signal) != signals.end();
}

}  // namespace

TEST_CASE("fault B9: signals ignored at the start stay ignored, except SIGTERM") {
  CHECK(ends(SIGINT));
  CHECK(ends(SIGHUP));
  CHECK(ends(SIGTERM));
  CHECK(in_child([] {
          ::signal(SIGHUP, SIG_IGN);
          ::signal(SIGTERM, SIG_IGN);
          return ends(SIGINT) && !ends(SIGHUP) && ends(SIGTERM) ? 7 : 0;
        }) == 7);
}

#ifdef MOLECULE_LINUX  // PR_SET_DUMPABLE is Linux's own.
TEST_CASE("fault D6: memory is private unless core dumps are allowed") {
  const auto look = [] {
    process::keep_memory_private();
    rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    return ::prctl(PR_GET_DUMPABLE) == 0 && limit.rlim_cur == 0 ? 7 : 8;
  };
  CHECK(in_child(look) == 7);
  ::setenv("MOLECULE_ALLOW_CORE_DUMPS", "1", 1);
  CHECK(in_child(look) == 8);
  ::unsetenv("MOLECULE_ALLOW_CORE_DUMPS");
}
#endif

TEST_CASE("fault A17: failing to write to stdout is a failure, a closed pipe is not") {
  CHECK(in_child([] {
          ::dup2(::open("/dev/full", O_WRONLY), STDOUT_FILENO);
          return output::print("text\n") ? 8 : 7;
        }) == 7);
  CHECK(in_child([] {
          ::close(STDOUT_FILENO);
          return output::print("text\n") ? 8 : 7;
        }) == 7);
  CHECK(in_child([] {
          ::signal(SIGPIPE, SIG_IGN);
          int pipe[2];
          if (::pipe(pipe) != 0) return 0;
          ::dup2(pipe[1], STDOUT_FILENO);
          ::close(pipe[0]);
          ::close(pipe[1]);
          return output::print("text\n") ? 7 : 8;
        }) == 7);
}

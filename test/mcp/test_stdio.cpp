#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

#include "mcp/host.hpp"
#include "molecule/mcp/stdio.hpp"

namespace molecule::mcp::test {

namespace {

/// Runs `body` in a child process; true if it returned true.
template <class Body>
bool in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body() ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool non_blocking(int descriptor) {
  return (::fcntl(descriptor, F_GETFL) & O_NONBLOCK) != 0;
}

std::string read_available(int descriptor) {
  ::fcntl(descriptor, F_SETFL, O_NONBLOCK);
  std::array<char, 100> text{};
  const ssize_t size = ::read(descriptor, text.data(), text.size());
  return {text.data(), static_cast<std::size_t>(size > 0 ? size : 0)};
}

}  // namespace

TEST_CASE("only the session's descriptor reaches stdout") {
  const Channel out = make_pipe();
  const Channel err = make_pipe();
  CHECK(in_child([&] {
    ::dup2(out.write.get(), 1);
    ::dup2(err.write.get(), 2);
    const Stdio stdio;
    const bool written = ::write(1, "noise", 5) == 5 && ::write(stdio.output(), "line", 4) == 4;
    return written && (::fcntl(stdio.output(), F_GETFD) & FD_CLOEXEC) != 0;
  }));
  CHECK(read_available(out.read.get()) == "line");
  CHECK(read_available(err.read.get()) == "noise");
}

TEST_CASE("closed descriptors are opened, so that no other file takes their numbers") {
  CHECK(in_child([] {
    ::close(0);
    ::close(1);
    ::close(2);
    const Stdio stdio;
    const int next = ::open("/dev/null", O_RDONLY);
    return next > 2 && stdio.output() > 2 && ::write(stdio.output(), "x", 1) == 1;
  }));
}

TEST_CASE("the flags of shared files are restored, and SIGPIPE is ignored") {
  const Channel in = make_pipe();
  Channel out = make_pipe();
  CHECK(in_child([&] {
    ::dup2(in.read.get(), 0);
    ::dup2(out.write.get(), 1);
    {
      std::signal(SIGPIPE, SIG_DFL);
      const Stdio stdio;
      asio::io_context loop;
      SystemClock clock;
      Bench bench(clock);
      Session session(loop.get_executor(), clock, make_server(bench), stdio.input(),
                      stdio.output());
      asio::co_spawn(loop, session.run(), [](std::exception_ptr, SessionEnd) {});
      loop.poll();
      if (!non_blocking(0) || !non_blocking(stdio.output())) return false;
      const Channel broken = make_pipe();
      ::close(broken.read.get());
      if (::write(broken.write.get(), "x", 1) != -1) return false;
    }
    return !non_blocking(0) && !non_blocking(out.write.get());
  }));
}

}  // namespace molecule::mcp::test

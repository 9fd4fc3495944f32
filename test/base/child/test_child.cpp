#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/async/tasks.hpp"
#include "base/child/child.hpp"
#include "base/child/spawn.hpp"
#include "support/run.hpp"
#include "support/temporary_folder.hpp"

using namespace molecule;
using namespace std::chrono_literals;
using How = ChildEnd::How;

namespace {

/// True if a process of that group runs; a dead one that nobody has waited for does not.
bool group_runs(pid_t group) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "stat");
    std::string text;
    if (!std::getline(file, text)) continue;
    std::istringstream fields(text.substr(text.rfind(')') + 1));
    std::string state;
    pid_t parent = 0;
    pid_t own = 0;
    fields >> state >> parent >> own;
    if (own == group && state != "Z" && state != "X") return true;
  }
  return false;
}

struct Fixture {
  test::TemporaryFolder folder;
  asio::io_context loop;
  SystemClock clock;
  TaskGroup tasks{loop.get_executor(), clock,
                  [](std::string_view, std::exception_ptr) { FAIL("a task failed"); }};
  Children children{loop.get_executor(), clock, tasks};
  std::string output;
  std::size_t most = 1 << 20;
  pid_t process = -1;

  Fixture() {
    ::signal(SIGPIPE, SIG_IGN);
    tasks.spawn("reap", children.reap());
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  ~Fixture() {
    tasks.cancel_all();
    const auto until = std::chrono::steady_clock::now() + 5s;
    while (tasks.size() > 0 && loop.run_one_until(until) != 0) {
    }
  }

  ChildCommand shell(const std::string& script) const {
    return {.argv = {"sh", "-c", script},
            .environment = {"PATH=/usr/bin:/bin"},
            .working_directory = folder.path(),
            .input = "",
            .deadline = test::max_wait,
            .kill_grace = 50ms};
  }
  ChildEnd run(ChildCommand command) {
    const auto take = [this](std::string_view piece) {
      output += piece;
      return output.size() <= most;
    };
    return test::run(
        loop, children.run(std::move(command), take, [this](pid_t started) { process = started; }));
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "child: input, output, exit code and errors") {
  ChildCommand command = shell("cat; echo oops >&2; exit 3");
  command.input = std::string(300'000, 'x');
  const ChildEnd end = run(std::move(command));
  CHECK(end.how == How::exited);
  CHECK(end.code == 3);
  CHECK(output == std::string(300'000, 'x'));
  CHECK(end.errors == "oops\n");
}

TEST_CASE_FIXTURE(Fixture, "child: has its environment and folder and nothing else of ours") {
  ChildCommand command =
      shell("env | sort; pwd; ls /proc/self/fd | wc -l; (: </dev/tty) || echo no");
  command.environment = {"PATH=/usr/bin:/bin", "A=b"};
  CHECK(run(std::move(command)).code == 0);
  CHECK(output.find("A=b\n") != std::string::npos);
  CHECK(output.find("HOME=") == std::string::npos);
  CHECK(output.find(folder.path().string()) != std::string::npos);
  // Of `ls`: the three standard ones and the folder that it reads.
  CHECK(output.find("\n4\n") != std::string::npos);
  CHECK(output.find("no\n") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "child: what cannot be started says why") {
  ChildCommand command = shell("");
  command.argv = {"no-such-program"};
  CHECK(run(command).problem == "no-such-program is not in PATH");
  command.argv = {"/etc/passwd"};
  CHECK(run(command).problem.find("Permission denied") != std::string::npos);
  command.argv = {"sh"};
  command.working_directory = folder.path() / "missing";
  const ChildEnd end = run(command);
  CHECK(end.how == How::not_started);
  CHECK(end.problem.find("missing: No such file") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "child: one that does not read its input or dies by a signal") {
  ChildCommand command = shell("exec 0<&-; kill -SEGV $$");
  command.input = std::string(1 << 20, 'x');
  const ChildEnd end = run(std::move(command));
  CHECK(end.how == How::signalled);
  CHECK(end.code == SIGSEGV);
}

TEST_CASE_FIXTURE(Fixture, "child: one that ignores SIGTERM is killed after the grace") {
  ChildCommand command = shell("trap '' TERM; echo begun; while :; do sleep 1; done");
  command.deadline = 100ms;
  CHECK(run(std::move(command)).how == How::deadline);
  CHECK(!group_runs(process));
}

TEST_CASE_FIXTURE(Fixture, "child: reading ends with it, and its group too") {
  const ChildEnd end = run(shell("sleep 1000 & echo done"));
  CHECK(end.how == How::exited);
  CHECK(output == "done\n");
  CHECK(!group_runs(process));
}

TEST_CASE_FIXTURE(Fixture, "child: a flood is ended") {
  most = 100'000;
  CHECK(run(shell("yes")).how == How::flooded);
  CHECK(output.size() < 300'000);
}

TEST_CASE_FIXTURE(Fixture, "child: what a quick child wrote is not lost") {
  for (int i = 0; i < 50; ++i) {
    output.clear();
    CHECK(run(shell("printf abc; printf def >&2")).errors == "def");
    CHECK(output == "abc");
  }
}

TEST_CASE_FIXTURE(Fixture, "child: stop ends all") {
  asio::steady_timer timer(loop, 100ms);
  timer.async_wait([this](asio::error_code) { children.stop(50ms); });
  CHECK(run(shell("trap '' TERM; sleep 1000")).how == How::stopped);
  CHECK(!children.any());
}

TEST_CASE("child: orphans are known by their mark, not by their number alone") {
  test::TemporaryFolder folder;
  const Spawned spawned = spawn("/bin/sh", {"sh", "-c", "sleep 1000 & echo; wait"},
                                {"PATH=/usr/bin:/bin", "MARK=one"}, folder.path());
  REQUIRE(spawned.process > 0);
  const std::string started = start_time(spawned.process);
  CHECK(!started.empty());
  CHECK(end_orphans({spawned.process, started, "MARK=on"}) == 0);
  CHECK(::kill(spawned.process, 0) == 0);
  pollfd output{.fd = spawned.output, .events = POLLIN, .revents = 0};
  REQUIRE(::poll(&output, 1, -1) == 1);
  CHECK(end_orphans({spawned.process, started, "MARK=one"}) == 2);
  ::waitpid(spawned.process, nullptr, 0);
  for (const int fd : {spawned.input, spawned.output, spawned.errors}) ::close(fd);
}

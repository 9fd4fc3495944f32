#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "base/async/tasks.hpp"
#include "base/files/file_watcher.hpp"
#include "base/files/lock_file.hpp"
#include "support/temporary_folder.hpp"

using namespace molecule;

TEST_CASE("lock file: each byte has one holder") {
  const test::TemporaryFolder folder;
  LockFile a(folder.path() / "locks");
  LockFile b(folder.path() / "locks");
  CHECK(a.lock(7));
  CHECK(a.lock(7));
  CHECK_FALSE(b.lock(7));
  CHECK(b.lock(std::int64_t{1} << 52));
  CHECK(b.locked_elsewhere(7));
  CHECK_FALSE(a.locked_elsewhere(7));
  CHECK(a.locked_elsewhere(std::int64_t{1} << 52));
  a.unlock(7);
  CHECK_FALSE(b.locked_elsewhere(7));
  struct stat status{};
  REQUIRE(::stat((folder.path() / "locks").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("lock file: killing a process releases its locks") {
  const test::TemporaryFolder folder;
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    LockFile file(folder.path() / "locks");
    const char held = file.lock(9) ? 'y' : 'n';
    if (::write(pipe[1], &held, 1) != 1) ::_exit(1);
    while (true) ::pause();
  }
  char held = 0;
  CHECK(::read(pipe[0], &held, 1) == 1);
  CHECK(held == 'y');
  LockFile file(folder.path() / "locks");
  CHECK(file.locked_elsewhere(9));
  ::kill(child, SIGSTOP);
  CHECK(file.locked_elsewhere(9));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK_FALSE(file.locked_elsewhere(9));
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST_CASE("lock file: every process can read the note") {
  const test::TemporaryFolder folder;
  LockFile a(folder.path() / "locks");
  LockFile b(folder.path() / "locks");
  CHECK_FALSE(b.note());
  a.write_note({.who = 5, .when = -6});
  REQUIRE(b.note());
  CHECK(b.note()->who == 5);
  CHECK(b.note()->when == -6);
}

TEST_CASE("lock file: without a lock file nothing is locked and nothing fails") {
  LockFile file("/proc/no/such/folder/locks");
  CHECK_FALSE(file.lock(1));
  CHECK_FALSE(file.locked_elsewhere(1));
  file.write_note({.who = 1, .when = 1});
  CHECK_FALSE(file.note());
}

#ifdef MOLECULE_LINUX
TEST_CASE("file watcher: reports writes and nothing else") {
  const test::TemporaryFolder folder;
  asio::io_context loop;
  SystemClock clock;
  TaskGroup tasks(loop.get_executor(), clock, [](std::string_view, std::exception_ptr) {});
  FileWatcher watcher(loop.get_executor());
  tasks.spawn("watcher", watcher.run());
  loop.poll();
  int a = 0;
  int b = 0;
  CHECK_FALSE(watcher.watch(folder.path() / "absent", [] {}));
  std::ofstream(folder.path() / "a") << "";
  std::ofstream(folder.path() / "b") << "";
  CHECK(watcher.watch(folder.path() / "a", [&a] { ++a; }));
  CHECK(watcher.watch(folder.path() / "b", [&b] { ++b; }));
  std::ofstream(folder.path() / "a", std::ios::app) << "x";
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (a == 0 && std::chrono::steady_clock::now() < until) {
    loop.run_one_for(std::chrono::milliseconds(100));
  }
  CHECK(a == 1);
  CHECK(b == 0);
  tasks.cancel_all();
  loop.run_for(std::chrono::seconds(1));
  CHECK(tasks.size() == 0);
}
#endif

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

TEST_CASE("lock file: the highest of the numbers that are shown is seen, and costs no write") {
  const test::TemporaryFolder folder;
  LockFile a(folder.path() / "locks");
  LockFile observer(folder.path() / "locks", LockFile::ReadOnly());
  CHECK(observer.highest_shown() < 0);
  CHECK(a.show(7));
  CHECK(a.show(5'000'000'000'000));
  CHECK(observer.highest_shown() == 5'000'000'000'000);
  CHECK(a.highest_shown() == 5'000'000'000'000);
  {
    LockFile b(folder.path() / "locks");
    CHECK(b.show(0));
    CHECK(b.highest_shown() == 5'000'000'000'000);
    CHECK(b.show(6'000'000'000'000));
    CHECK(a.highest_shown() == 6'000'000'000'000);
    CHECK_FALSE(b.any_locked_elsewhere(1));
  }
  CHECK(a.highest_shown() == 5'000'000'000'000);
  CHECK(std::filesystem::file_size(folder.path() / "locks") == 0);
}

TEST_CASE("lock file: without a lock file nothing is locked and nothing fails") {
  LockFile file("/proc/no/such/folder/locks");
  CHECK_FALSE(file.lock(1));
  CHECK_FALSE(file.locked_elsewhere(1));
  file.write_note({.who = 1, .when = 1});
  CHECK_FALSE(file.note());
  CHECK_FALSE(file.show(1));
  CHECK(file.highest_shown() < 0);
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
  std::vector<std::string> written;
  CHECK_FALSE(watcher.watch(folder.path() / "absent", {"a"}, [](const std::string&) {}));
  CHECK(watcher.watch(folder.path(), {"a", "b"},
                      [&written](const std::string& name) { written.push_back(name); }));
  const auto wait_for = [&](std::size_t count) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (written.size() < count && std::chrono::steady_clock::now() < until) {
      loop.run_one_for(std::chrono::milliseconds(100));
    }
  };
  std::ofstream(folder.path() / "other") << "x";
  std::ofstream(folder.path() / "a") << "x";
  wait_for(1);
  CHECK(written == std::vector<std::string>{"a"});
  // A file that is removed and made anew is still watched.
  std::filesystem::remove(folder.path() / "a");
  std::ofstream(folder.path() / "a") << "x";
  wait_for(2);
  CHECK(written == std::vector<std::string>{"a", "a"});
  tasks.cancel_all();
  loop.run_for(std::chrono::seconds(1));
  CHECK(tasks.size() == 0);
}
#endif

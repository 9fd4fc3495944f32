// Unexpected kinds of files, and file systems without locks or shared memory.

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include "base/files/abilities.hpp"
#include "base/files/files.hpp"
#include "base/files/lock_file.hpp"
#include "base/files/paths.hpp"
#include "files/faulty_calls.hpp"
#include "support/temporary_folder.hpp"

using namespace molecule;
using test::FaultyCalls;
namespace fs = std::filesystem;

namespace {

mode_t mode_of(const fs::path& path) {
  struct stat status{};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

void write(const fs::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

/// A child process that tries to lock byte 9 and reports 'y', or 'n' if it is held. It ends with
/// the object.
class Holder {
 public:
  explicit Holder(const fs::path& path) {
    REQUIRE(::pipe(pipe_) == 0);
    child_ = ::fork();
    if (child_ == 0) {
      LockFile file(path);
      const char said = file.lock(9) ? 'y' : 'n';
      if (::write(pipe_[1], &said, 1) != 1) ::_exit(1);
      while (true) ::pause();
    }
    REQUIRE(::read(pipe_[0], &answer, 1) == 1);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }
  char answer = 0;

 private:
  int pipe_[2]{};
  pid_t child_ = 0;
};

}  // namespace

TEST_CASE("fault D2: only regular files are opened, never through links or blocking") {
  const test::TemporaryFolder folder;
  const fs::path fifo = folder.path() / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const fs::path socket = folder.path() / "socket";
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
  REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  fs::create_symlink(folder.path() / "absent", folder.path() / "dangling");
  write(folder.path() / "target", "secret");
  fs::create_symlink(folder.path() / "target", folder.path() / "link");
  for (const fs::path& path : {fifo, socket, folder.path() / "dangling", folder.path() / "link",
                               folder.path(), fs::path("/dev/zero"), fs::path("/dev/null")}) {
    CAPTURE(path.string());
    const auto content = files::read(path);
    REQUIRE_FALSE(content);
    CHECK(content.error().message.find(path.string()) != std::string::npos);
    for (const int how : {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_CREAT}) {
      const int fd = files::open_regular(path, how);
      CHECK(fd < 0);
      CHECK_FALSE(files::reason(errno).empty());
    }
    LockFile lock(path);
    CHECK_FALSE(lock.usable());
    CHECK_FALSE(lock.lock(1));
    CHECK(lock.problem().find(path.string()) != std::string::npos);
  }
  CHECK_FALSE(fs::exists(folder.path() / "absent"));
  CHECK(*files::read(folder.path() / "link", 100, files::Links::follow) == "secret");
  ::close(listener);
}

TEST_CASE("fault D2: a file that others may open becomes private when it is written") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  write(path, "x");
  ::chmod(path.c_str(), 0644);
  ::close(files::open_regular(path, O_RDONLY));
  CHECK(mode_of(path) == 0644);
  ::close(files::open_regular(path, O_WRONLY));
  CHECK(mode_of(path) == 0600);
}

#ifdef MOLECULE_LINUX  // Without its file systems there is nothing to refuse.
TEST_CASE("fault D5: files that the kernel generates are not stored") {
  const test::TemporaryFolder folder;
  write(folder.path() / "file", "x");
  const auto stored = [](const fs::path& path) {
    const int fd = files::open_regular(path, O_RDONLY);
    REQUIRE(fd >= 0);
    const bool is = files::is_stored(fd);
    ::close(fd);
    return is;
  };
  CHECK(stored(folder.path() / "file"));
  CHECK_FALSE(stored("/proc/self/environ"));
  CHECK_FALSE(stored("/proc/version"));
}
#endif

TEST_CASE("fault B10: a configured path is absolute or in the home folder") {
  const fs::path home = "/home/ada";
  CHECK(*files::configured_path("/a/b", home) == "/a/b");
  CHECK(*files::configured_path("~", home) == home);
  CHECK(*files::configured_path("~/", home) == home);
  CHECK(*files::configured_path("~/x y/z", home) == home / "x y/z");
  CHECK(*files::configured_path("~//etc", home) == home / "etc");
  for (const char* wrong : {"x", "./x", "../x", "~ben/x", "", ".", "x/~"}) {
    CAPTURE(wrong);
    CHECK_FALSE(files::configured_path(wrong, home));
  }
  CHECK_FALSE(files::configured_path("~/x", ""));
  const auto refused = files::configured_path("./some/../folder", home);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().find((fs::current_path() / "folder").string()) != std::string::npos);
}

TEST_CASE("fault B2: process locks replace missing open file locks") {
  for (const int code : {EINVAL, ENOSYS, ENOTSUP, ENOLCK}) {
    CAPTURE(code);
    const test::TemporaryFolder folder;
    const fs::path path = folder.path() / "locks";
    const FaultyCalls faults({.file_locks = code});
    LockFile a(path);
    LockFile b(path);
    CHECK(a.usable());
    CHECK(a.lock(7));
    CHECK(a.lock(7));
    CHECK_FALSE(b.lock(7));
    CHECK_FALSE(b.share(7));
    CHECK(b.locked_elsewhere(7));
    CHECK_FALSE(a.locked_elsewhere(7));
    CHECK(a.share(5));
    CHECK(b.share(5));
    CHECK(a.locked_elsewhere(5));
    a.unlock(5);
    CHECK(a.locked_elsewhere(5));
    CHECK_FALSE(b.locked_elsewhere(5));
    // Closing one descriptor must not drop the locks of other objects in this process.
    {
      LockFile looks(path, LockFile::ReadOnly());
      CHECK(looks.locked_elsewhere(7));
      LockFile goes(path);
      CHECK(goes.locked_elsewhere(7));
    }
    CHECK(Holder(path).answer == 'y');
    CHECK(a.lock(9));
    CHECK(Holder(path).answer == 'n');
    a.unlock(9);
    {
      const Holder other(path);
      CHECK(other.answer == 'y');
      CHECK(a.locked_elsewhere(9));
      CHECK_FALSE(a.lock(9));
    }
    CHECK(a.lock(9));
  }
}

TEST_CASE("fault B2: without any locks nothing is free and nothing is held") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "locks";
  {
    const FaultyCalls faults({.all_locks = ENOLCK});
    LockFile a(path);
    CHECK_FALSE(a.usable());
    CHECK_FALSE(a.lock(7));
    CHECK(a.problem().find(path.string()) != std::string::npos);
    CHECK(a.problem().find(std::strerror(ENOLCK)) != std::string::npos);
    LockFile looks(path, LockFile::ReadOnly());
    CHECK_FALSE(looks.usable());
    CHECK(files::try_folder(folder.path()).lock == ENOLCK);
  }
  // It tries again.
  LockFile a(path);
  CHECK(a.usable());
  CHECK(a.problem().empty());
  const FaultyCalls faults({.shared_memory = ENODEV});
  const files::Abilities found = files::try_folder(folder.path());
  CHECK(found.shared_memory == ENODEV);
  CHECK(found.make == 0);
  CHECK(found.write == 0);
  CHECK(found.sync == 0);
  CHECK(found.lock == 0);
  CHECK(files::try_folder(folder.path() / "absent").make == ENOENT);
}

TEST_CASE("fault B1: a lock file that was removed or replaced is opened again with its locks") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "locks";
  for (const bool replaced : {false, true}) {
    CAPTURE(replaced);
    LockFile a(path);
    REQUIRE(a.lock(7));
    a.write_note({.who = 1, .when = 2});
    fs::remove(path);
    if (replaced) write(path, "");
    LockFile b(path);
    CHECK_FALSE(a.note());
    CHECK(b.locked_elsewhere(7));
    CHECK_FALSE(b.lock(7));
    a.write_note({.who = 3, .when = 4});
    REQUIRE(b.note());
    CHECK(b.note()->who == 3);
  }
}

TEST_CASE("fault B1: an open file knows whether it still has its name") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  write(path, "x");
  const int fd = files::open_regular(path, O_RDWR);
  CHECK(files::still_named(path, fd));
  fs::rename(path, folder.path() / "elsewhere");
  CHECK_FALSE(files::still_named(path, fd));
  write(path, "x");
  CHECK_FALSE(files::still_named(path, fd));
  fs::rename(folder.path() / "elsewhere", path);
  CHECK(files::still_named(path, fd));
  ::close(fd);
}

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/service/notify.hpp"
#include "support/temporary_folder.hpp"

using namespace molecule;
using service::Notifier;

namespace {

/// A service manager's end.
class Manager {
 public:
  explicit Manager(const std::string& address) : fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un own{};
    own.sun_family = AF_UNIX;
    std::memcpy(own.sun_path, address.data(), address.size());
    if (own.sun_path[0] == '@') own.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
    REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&own), size) == 0);
    ::setenv("NOTIFY_SOCKET", address.c_str(), 1);
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;
  ~Manager() { ::close(fd_); }

  std::string next() const {
    std::array<char, 1000> bytes{};
    const ssize_t size = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    return size < 0 ? "nothing" : std::string(bytes.data(), static_cast<std::size_t>(size));
  }

 private:
  int fd_;
};

}  // namespace

TEST_CASE("notify: a path, and what is said through a start, a reload and an end") {
  test::TemporaryFolder folder;
  const Manager manager((folder.path() / "socket").string());
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  Notifier notifier;
  CHECK(std::getenv("NOTIFY_SOCKET") == nullptr);
  CHECK(std::getenv("WATCHDOG_USEC") == nullptr);
  CHECK(notifier.watchdog_interval() == std::chrono::seconds(1));
  notifier.ready("1 workspace\nonline");
  CHECK(manager.next() == "READY=1\nSTATUS=1 workspace online\n");
  notifier.status("1 workspace online");
  CHECK(manager.next() == "nothing");
  notifier.alive();
  CHECK(manager.next() == "WATCHDOG=1\n");
  notifier.reloading();
  CHECK(manager.next().starts_with("RELOADING=1\nMONOTONIC_USEC="));
  notifier.extend_timeout(std::chrono::seconds(2));
  CHECK(manager.next() == "EXTEND_TIMEOUT_USEC=2000000\n");
  notifier.stopping("bye");
  CHECK(manager.next() == "STOPPING=1\nSTATUS=bye\n");
}

TEST_CASE("notify: an abstract address, and another process's watchdog") {
  const Manager manager("@molecule-test-" + std::to_string(::getpid()));
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  Notifier notifier;
  CHECK(!notifier.watchdog_interval());
  notifier.ready("x");
  CHECK(manager.next() == "READY=1\nSTATUS=x\n");
}

TEST_CASE("notify: without a manager nothing happens") {
  ::unsetenv("NOTIFY_SOCKET");
  Notifier notifier;
  CHECK(!notifier.listened_to());
  notifier.ready("x");
  std::string problem;
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_PID", "1", 1);
  CHECK(!service::activated_socket(problem));
  CHECK(std::getenv("LISTEN_FDS") == nullptr);
}

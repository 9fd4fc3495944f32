#include "base/service/notify.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/text/text.hpp"

namespace molecule::service {

namespace {

constexpr int first_passed = 3;

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value != nullptr ? value : "";
  ::unsetenv(name);
  return text;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Without a process id the variable is meant for whoever has it.
bool for_us(std::string_view pid) {
  return pid.empty() || number(pid) == static_cast<std::uint64_t>(::getpid());
}

std::uint64_t monotonic_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

int datagram_socket() {
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

}  // namespace

Notifier::Notifier() {
  address_ = take_variable("NOTIFY_SOCKET");
  const std::string limit = take_variable("WATCHDOG_USEC");
  const std::string watched = take_variable("WATCHDOG_PID");
  const bool usable = (address_.starts_with('/') || address_.starts_with('@')) &&
                      address_.size() < sizeof(sockaddr_un::sun_path);
  if (!usable) return;
  fd_ = datagram_socket();
  const auto microseconds = number(limit);
  if (microseconds && *microseconds > 0 && for_us(watched)) {
    watchdog_ = std::chrono::microseconds(*microseconds / 3);
  }
}

Notifier::~Notifier() {
  if (fd_ >= 0) ::close(fd_);
}

void Notifier::send(const std::string& state) {
  if (fd_ < 0) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  // An abstract address begins with a zero byte instead of the `@`.
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  // A manager that does not read must not stop us.
  [[maybe_unused]] const ssize_t ignored =
      ::sendto(fd_, state.data(), state.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&to), length);
}

void Notifier::ready(std::string_view status) {
  last_status_ = text::one_line(status);
  send(fmt::format("READY=1\nSTATUS={}\n", last_status_));
}

void Notifier::status(std::string_view text) {
  std::string line = text::one_line(text);
  if (line == last_status_) return;
  last_status_ = std::move(line);
  send(fmt::format("STATUS={}\n", last_status_));
}

void Notifier::alive() {
  send("WATCHDOG=1\n");
}

void Notifier::reloading() {
  send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\n", monotonic_microseconds()));
}

void Notifier::stopping(std::string_view status) {
  last_status_ = text::one_line(status);
  send(fmt::format("STOPPING=1\nSTATUS={}\n", last_status_));
}

void Notifier::extend_timeout(std::chrono::microseconds more) {
  send(fmt::format("EXTEND_TIMEOUT_USEC={}\n", more.count()));
}

std::optional<int> activated_socket(std::string& problem) {
  const std::string pid = take_variable("LISTEN_PID");
  const auto count = number(take_variable("LISTEN_FDS"));
  ::unsetenv("LISTEN_FDNAMES");
  // These belong to one process only: a variable that was inherited says nothing.
  if (!count || *count == 0 || pid.empty() || !for_us(pid)) return std::nullopt;
  if (*count > 1) problem = fmt::format("{} sockets were passed: one can be served", *count);
  int listening = 0;
  socklen_t size = sizeof(listening);
  const bool is_listener =
      ::getsockopt(first_passed, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 &&
      listening != 0;
  if (!is_listener) problem = "what was passed is not a listening stream socket";
  ::fcntl(first_passed, F_SETFD, FD_CLOEXEC);
  return first_passed;
}

}  // namespace molecule::service

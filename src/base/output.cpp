#include "base/output.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/log.hpp"

namespace molecule::output {

namespace {

int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EAGAIN) {
      // Another process that shares stdout made it non-blocking.
      pollfd ready{.fd = descriptor, .events = POLLOUT, .revents = 0};
      ::poll(&ready, 1, -1);
    } else if (written < 0 && errno != EINTR) {
      return errno;
    } else if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  return 0;
}

/// Some file systems report a failed write only when a descriptor is closed.
int close_copy(int descriptor) {
  const int copy = ::dup(descriptor);
  return copy < 0 || ::close(copy) == 0 ? 0 : errno;
}

}  // namespace

bool print(std::string_view text) {
  int failure = write_all(STDOUT_FILENO, text);
  if (failure == 0) failure = close_copy(STDOUT_FILENO);
  if (failure == 0 || failure == EPIPE) return true;
  log::error("cannot write to stdout: {}", std::strerror(failure));
  return false;
}

}  // namespace molecule::output

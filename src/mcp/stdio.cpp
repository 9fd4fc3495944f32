#include "molecule/mcp/stdio.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

#include "base/process.hpp"

namespace molecule::mcp {

namespace {

int required(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

}  // namespace

Stdio::Stdio() {
  process::open_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);
  output_ = required(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1),
                     "cannot duplicate stdout");
  input_flags_ = ::fcntl(STDIN_FILENO, F_GETFL);
  output_flags_ = ::fcntl(output_, F_GETFL);
  required(::dup2(STDERR_FILENO, STDOUT_FILENO), "cannot point stdout at stderr");
}

Stdio::~Stdio() {
  // Ignore errors: the file may be gone (a closed terminal).
  if (input_flags_ >= 0) ::fcntl(STDIN_FILENO, F_SETFL, input_flags_);
  if (output_flags_ >= 0) ::fcntl(output_, F_SETFL, output_flags_);
  ::close(output_);
}

}  // namespace molecule::mcp

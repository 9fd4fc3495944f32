#include "bench/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

extern char** environ;

namespace molecule::bench {

namespace {

[[noreturn]] void fail(const char* what, int code = errno) {
  throw std::system_error(code, std::generic_category(), what);
}

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe");
  return ends;
}

}  // namespace

Child::Child(std::vector<std::string> command, std::string_view input) {
  const auto in = make_pipe();
  const auto out = make_pipe();
  input_ = in[1];
  output_ = out[0];
  write(input);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int code =
      ::posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  if (code != 0) fail(arguments[0], code);
}

Child::~Child() {
  ::close(input_);
  ::close(output_);
  wait();
}

void Child::wait() {
  if (pid_ >= 0) ::waitpid(std::exchange(pid_, -1), nullptr, 0);
}

void Child::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(input_, bytes.data(), bytes.size());
    if (written < 0) fail("write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

bool Child::fill() {
  buffer_.erase(0, std::exchange(start_, 0));
  std::array<char, 65536> chunk{};
  const ssize_t got = ::read(output_, chunk.data(), chunk.size());
  if (got < 0) fail("read");
  buffer_.append(chunk.data(), static_cast<std::size_t>(got));
  return got > 0;
}

std::string_view Child::read_line() {
  while (true) {
    const std::size_t end = buffer_.find('\n', start_);
    if (end != std::string::npos) {
      const std::string_view line(buffer_.data() + start_, end - start_);
      start_ = end + 1;
      return line;
    }
    if (!fill()) throw std::runtime_error("the program ended without an answer");
  }
}

void Child::read_answer(long id) {
  const std::string first = fmt::format("\"id\":{},", id);
  const std::string last = fmt::format("\"id\":{}}}", id);
  while (true) {
    const std::string_view line = read_line();
    if (line.find(first) == std::string_view::npos && !line.ends_with(last)) continue;
    if (line.find("\"result\"") != std::string_view::npos &&
        line.find("\"isError\":true") == std::string_view::npos) {
      return;
    }
    throw std::runtime_error(fmt::format("not a good answer: {}", line));
  }
}

void Child::exchange(std::string_view bytes, long answers) {
  ::fcntl(input_, F_SETFL, O_NONBLOCK);
  while (answers > 0) {
    std::array<pollfd, 2> waits{
        {{.fd = output_, .events = POLLIN, .revents = 0},
         {.fd = bytes.empty() ? -1 : input_, .events = POLLOUT, .revents = 0}}};
    if (::poll(waits.data(), waits.size(), -1) < 0) fail("poll");
    if (waits[1].revents != 0) {
      const ssize_t written = ::write(input_, bytes.data(), bytes.size());
      if (written < 0 && errno != EAGAIN) fail("write");
      bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
    if (waits[0].revents == 0) continue;
    if (!fill()) throw std::runtime_error("the program ended before all answers");
    for (std::size_t end = 0; (end = buffer_.find('\n', start_)) != std::string::npos;) {
      const std::string_view line(buffer_.data() + start_, end - start_);
      if (line.find("\"result\":") != std::string_view::npos) --answers;
      start_ = end + 1;
    }
  }
  ::fcntl(input_, F_SETFL, 0);
}

}  // namespace molecule::bench

#include <doctest/doctest.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <array>
#include <string>

#include "base/log.hpp"

using namespace molecule;

namespace {

/// Replaces stderr with a pipe.
class Pipe {
 public:
  Pipe() : before_(::dup(STDERR_FILENO)) {
    REQUIRE(::pipe2(ends_.data(), O_CLOEXEC) == 0);
    ::dup2(ends_[1], STDERR_FILENO);
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    log::set_level(log::Level::warning);
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
    if (ends_[0] >= 0) ::close(ends_[0]);
    ::close(ends_[1]);
  }
  std::string take() {
    std::string out;
    std::array<char, 4096> chunk{};
    for (ssize_t got = 0; (got = ::read(ends_[0], chunk.data(), chunk.size())) > 0;) {
      out.append(chunk.data(), static_cast<std::size_t>(got));
    }
    return out;
  }

 private:
  int before_;
  std::array<int, 2> ends_{-1, -1};
};

}  // namespace

TEST_CASE("a message is one line with its level") {
  Pipe pipe;
  log::warning("first {}", 1);
  log::error("a\nb\tc\x1b[31m\xFF");
  log::info("dropped");
  log::debug("dropped");
  CHECK(pipe.take() == "molecule: warning: first 1\nmolecule: error: a b c[31m\xEF\xBF\xBD\n");
}

TEST_CASE("messages below the level are not written") {
  Pipe pipe;
  log::set_level(log::Level::info);
  CHECK(log::enabled(log::Level::info));
  CHECK_FALSE(log::enabled(log::Level::debug));
  log::info("hello");
  log::debug("dropped");
  CHECK(pipe.take() == "molecule: info: hello\n");
  log::set_level(log::Level::error);
  log::warning("dropped");
  CHECK(pipe.take().empty());
}

TEST_CASE("the level is read by name") {
  Pipe pipe;
  CHECK(log::level_from("debug") == log::Level::debug);
  CHECK(log::level_from("info") == log::Level::info);
  CHECK(log::level_from("warning") == log::Level::warning);
  CHECK(log::level_from("error") == log::Level::error);
  CHECK_FALSE(log::level_from(nullptr));
  CHECK_FALSE(log::level_from(""));
  CHECK(pipe.take().empty());
  CHECK_FALSE(log::level_from("Loud\n"));
  CHECK(pipe.take().find("use debug, info, warning or error") != std::string::npos);
}

TEST_CASE("a full pipe does not block the program") {
  Pipe pipe;
  const std::string text(1000, 'x');
  for (int i = 0; i < 1000; ++i) log::warning("{}", text);
  const std::string taken = pipe.take();
  CHECK(taken.size() > 10'000);
  CHECK(taken.size() < 1'000'000);
  CHECK(taken.ends_with("x\n"));
  log::warning("again");
  CHECK(pipe.take() == "molecule: warning: again\n");
}

TEST_CASE("a long message is cut to what a pipe accepts atomically") {
  Pipe pipe;
  log::warning("{}", std::string(100'000, 'x'));
  CHECK(pipe.take().size() == PIPE_BUF);
}

TEST_CASE("logging without a stderr does nothing") {
  Pipe pipe;
  const int kept = ::dup(STDERR_FILENO);
  ::close(STDERR_FILENO);
  log::warning("to nobody");
  ::dup2(kept, STDERR_FILENO);
  ::close(kept);
  CHECK(pipe.take().empty());
}

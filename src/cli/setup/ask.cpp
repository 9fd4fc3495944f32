#include "cli/setup/ask.hpp"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/text/text.hpp"
#include "cli/output/terminal.hpp"

namespace molecule::cli {

namespace {

constexpr std::size_t max_line = 65536;

/// The terminal as it was before it stopped showing what is typed, for the signals' handler.
termios shown{};

/// A terminal that shows nothing would outlive the program. The second signal ends it.
void show_and_end(int signal) {
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
  ::raise(signal);
}

/// What is typed is not shown while one lives.
class Hidden {
 public:
  Hidden() : known_(::tcgetattr(STDIN_FILENO, &shown) == 0) {
    if (!known_) return;
    struct sigaction ending{};
    ending.sa_handler = show_and_end;
    ending.sa_flags = static_cast<int>(SA_RESETHAND);
    for (std::size_t i = 0; i < signals.size(); ++i) {
      ::sigaction(signals[i], nullptr, &before_[i]);
      if (before_[i].sa_handler != SIG_IGN) ::sigaction(signals[i], &ending, nullptr);
    }
    termios hidden = shown;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;
  ~Hidden() {
    if (!known_) return;
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    for (std::size_t i = 0; i < signals.size(); ++i) {
      ::sigaction(signals[i], &before_[i], nullptr);
    }
  }

 private:
  static constexpr std::array<int, 4> signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  std::array<struct sigaction, signals.size()> before_{};
  bool known_;
};

/// Byte by byte: what follows the line is the next question's.
std::optional<std::string> read_line() {
  std::string line;
  char c = '\0';
  while (line.size() < max_line) {
    const ssize_t got = ::read(STDIN_FILENO, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    if (c == '\n') break;
    line += c;
  }
  return std::string(text::trim(line));
}

}  // namespace

std::optional<std::string> ask(std::string_view question, std::string_view otherwise) {
  say(otherwise.empty() ? fmt::format("{}: ", question)
                        : fmt::format("{} [{}]: ", question, otherwise));
  auto line = read_line();
  if (line && line->empty()) line = otherwise;
  return line;
}

std::optional<std::string> ask_secret(std::string_view question) {
  say(fmt::format("{} (not shown): ", question));
  std::optional<std::string> line;
  {
    const Hidden hidden;
    line = read_line();
  }
  say("\n");
  return line;
}

bool ask_yes(std::string_view question) {
  const auto answer = ask(fmt::format("{} [y/N]", question));
  return answer && (text::lower(*answer) == "y" || text::lower(*answer) == "yes");
}

}  // namespace molecule::cli

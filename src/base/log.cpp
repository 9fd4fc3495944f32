#include "base/log.hpp"

#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "base/text/text.hpp"

namespace molecule::log {

namespace {

Level min_level = Level::warning;
Listener listening;

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      break;
  }
  return "error";
}

}  // namespace

void set_level(Level level) {
  min_level = level;
}

bool enabled(Level level) {
  return level >= min_level;
}

std::optional<Level> level_from(const char* value) {
  const std::string_view name = value != nullptr ? value : "";
  if (name.empty()) return std::nullopt;
  for (const Level level : {Level::debug, Level::info, Level::warning, Level::error}) {
    if (name == name_of(level)) return level;
  }
  warning("{}: \"{}\" is no level; use debug, info, warning or error", level_variable,
          text::sanitize_name(name));
  return std::nullopt;
}

void set_listener(Listener listener) {
  listening = std::move(listener);
}

namespace {

/// True if stderr is the journal, which takes a level at the start of a line. By device and inode,
/// because children inherit the variable even where their stderr is elsewhere.
bool is_journal() {
  const char* value = std::getenv("JOURNAL_STREAM");
  struct stat status{};
  if (value == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == value;
}

/// The level in the form of syslog.
std::string_view journal_prefix(Level level) {
  static const bool journal = is_journal();
  if (!journal) return {};
  switch (level) {
    case Level::debug:
      return "<7>";
    case Level::info:
      return "<6>";
    case Level::warning:
      return "<4>";
    case Level::error:
      break;
  }
  return "<3>";
}

void write_line(Level level, std::string_view text) {
  // A pipe that polls writable takes PIPE_BUF bytes at once, so this write cannot wait. Making
  // stderr non-blocking instead would change it for everybody who shares it.
  const std::string line = fmt::format("{}molecule: {}: {}", journal_prefix(level), name_of(level),
                                       text::one_line(text));
  const std::string out = std::string(text::prefix_bytes(line, PIPE_BUF - 1)) + '\n';
  pollfd descriptor{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (::poll(&descriptor, 1, 0) != 1 || (descriptor.revents & POLLOUT) == 0) return;
  // A reader that is gone is nobody to tell.
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, out.data(), out.size());
}

}  // namespace

void write(Level level, std::string_view text) {
  if (!enabled(level)) return;
  write_line(level, text);
  if (listening) listening(level, text);
}

}  // namespace molecule::log

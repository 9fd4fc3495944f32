#include "cli/messages/input.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "base/text/text.hpp"
#include "cli/commands/help.hpp"
#include "cli/output/terminal.hpp"

namespace molecule::cli {

namespace {

constexpr std::size_t max_text_bytes = std::size_t{16} << 20;

}  // namespace

Result<std::string, std::string> read_stdin(std::size_t limit) {
  std::string content;
  std::array<char, 65536> chunk{};
  while (true) {
    const ssize_t got = ::read(STDIN_FILENO, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failure{fmt::format("stdin cannot be read: {}", std::strerror(errno))};
    if (got == 0) return content;
    content.append(chunk.data(), static_cast<std::size_t>(got));
    if (content.size() > limit) {
      return Failure{fmt::format("stdin has more than {} bytes", limit)};
    }
  }
}

Result<std::string, int> read_text(const Arguments& arguments) {
  return read_text(arguments.value("TEXT", "-"));
}

Result<std::string, int> read_text(std::string text) {
  if (text == "-") {
    if (can_ask()) say("Write the text, and end it with Ctrl-D on a line of its own.\n");
    auto read = read_stdin(max_text_bytes);
    if (!read.ok()) return Failure{wrong_usage(read.error())};
    text = std::move(*read);
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  }
  if (!text::valid_utf8(text)) return Failure{wrong_usage("the text is not UTF-8")};
  if (text::trim(text).empty()) return Failure{wrong_usage("the text is empty")};
  return text;
}

std::string whole_path(const std::string& given) {
  std::error_code failed;
  const std::filesystem::path path = std::filesystem::absolute(given, failed);
  return failed ? given : path.lexically_normal().string();
}

}  // namespace molecule::cli

#include "base/files/paths.hpp"

#include <fmt/format.h>

#include <system_error>

namespace molecule::files {

namespace fs = std::filesystem;

Result<fs::path, std::string> configured_path(std::string_view given, const fs::path& home) {
  if (given.find('\0') != std::string_view::npos) return Failure{std::string("it is no path")};
  if (given.starts_with('/')) return fs::path(given);
  if (given == "~" || given.starts_with("~/")) {
    if (!home.is_absolute()) return Failure{fmt::format("{}: HOME is not set", given)};
    const std::size_t below = given.find_first_not_of('/', 1);
    return below == std::string_view::npos ? home : home / given.substr(below);
  }
  if (given.starts_with('~')) {
    return Failure{
        fmt::format("{}: only ~/ stands for a home folder: write the whole path", given)};
  }
  std::error_code failed;
  const fs::path proposed = fs::absolute(fs::path(given), failed).lexically_normal();
  if (failed) return Failure{fmt::format("{} is relative: write the whole path", given)};
  return Failure{fmt::format("{} is relative to the folder that the program is started in: use {}",
                             given, proposed.string())};
}

}  // namespace molecule::files

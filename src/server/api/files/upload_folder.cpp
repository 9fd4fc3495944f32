#include "server/api/files/upload_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/text/text.hpp"
#include "base/uuid.hpp"

namespace molecule::server {

namespace fs = std::filesystem;

namespace {

constexpr const char* marker = ".molecule-platform-uploads";
constexpr std::size_t uuid_characters = 36;
/// A dot before the id, another one after it, and a random part.
constexpr std::size_t temporary_characters = uuid_characters + 10;

bool is_upload_name(std::string_view name) {
  if (is_uuid(name)) return true;
  return name.size() == temporary_characters && name.front() == '.' &&
         is_uuid(name.substr(1, uuid_characters)) && name[uuid_characters + 1] == '.';
}

Failure<std::string> refused(const fs::path& folder, std::string_view why) {
  return Failure{fmt::format("{} {}: move it away, or choose another folder with --data",
                             folder.string(), why)};
}

/// The first thing in it that no platform made.
Result<std::optional<std::string>, std::string> foreign_entry(const fs::path& folder) {
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure); !failure && entry != fs::directory_iterator();
       entry.increment(failure)) {
    // Another platform that shares the folder may be making its mark at the same time.
    if (entry->path().filename() == marker) continue;
    if (!is_upload(*entry)) return std::optional(entry->path().filename().string());
  }
  if (failure) return Failure{fmt::format("{}: {}", folder.string(), failure.message())};
  return std::optional<std::string>();
}

/// An empty file is whole from its start: nothing half-made is left by a crash.
Result<void, std::string> put_mark(const fs::path& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0 && errno == EEXIST) return {};
  if (file < 0) {
    return Failure{fmt::format("cannot make {}: {}", path.string(), std::strerror(errno))};
  }
  ::close(file);
  return {};
}

}  // namespace

bool is_upload(const fs::directory_entry& entry) {
  std::error_code failure;
  return entry.symlink_status(failure).type() == fs::file_type::regular && !failure &&
         is_upload_name(entry.path().filename().string());
}

Result<void, std::string> claim_upload_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return Failure{fmt::format("cannot make {}: {}", folder.string(), std::strerror(errno))};
  }
  struct stat status{};
  if (::lstat(folder.c_str(), &status) != 0) {
    return Failure{fmt::format("cannot open {}: {}", folder.string(), std::strerror(errno))};
  }
  if (S_ISLNK(status.st_mode)) return refused(folder, "is a symbolic link");
  if (!S_ISDIR(status.st_mode)) return refused(folder, "is not a folder");
  if (status.st_uid != ::geteuid()) return refused(folder, "belongs to another user");
  struct stat made{};
  if (::lstat((folder / marker).c_str(), &made) == 0 && S_ISREG(made.st_mode)) return {};
  // An empty one, or one of a version that left no mark.
  const auto foreign = foreign_entry(folder);
  if (!foreign) return Failure{foreign.error()};
  if (*foreign) {
    return refused(folder, fmt::format("was not made by molecule-platform ({} is in it)",
                                       text::sanitize_name(**foreign)));
  }
  return put_mark(folder / marker);
}

}  // namespace molecule::server

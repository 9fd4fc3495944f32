#include "workspace/files/new_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/files/open.hpp"
#include "base/random.hpp"

namespace molecule::workspace {

namespace {

constexpr std::size_t random_bytes = 9;
constexpr std::size_t random_characters = 12;

std::string hidden(const std::string& name) {
  return fmt::format(".{}.", name);
}

/// True only for names that this class makes: another file may share the prefix.
bool is_temporary(const std::filesystem::directory_entry& entry, const std::string& beginning) {
  std::error_code failure;
  const std::string name = entry.path().filename().string();
  return entry.symlink_status(failure).type() == std::filesystem::file_type::regular &&
         name.starts_with(beginning) && name.size() == beginning.size() + random_characters &&
         name.find('.', beginning.size()) == std::string::npos;
}

/// Renames without replacing a file. macOS and some network file systems can do that only by a
/// link.
bool rename_to_new(const std::filesystem::path& from, const std::filesystem::path& to) {
#ifdef MOLECULE_LINUX
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
#endif
  if (::link(from.c_str(), to.c_str()) != 0) return false;
  ::unlink(from.c_str());
  return true;
}

bool sync_folder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  // EINVAL: a file system whose folders cannot be synced.
  const bool synced = ::fsync(fd) == 0 || errno == EINVAL;
  const int code = errno;
  ::close(fd);
  errno = code;
  return synced;
}

}  // namespace

NewFile::NewFile(const std::filesystem::path& folder, const std::string& name)
    : path_(folder / (hidden(name) + random_token(random_bytes))),
      fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) {}

NewFile::~NewFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  if (!kept_) ::unlink(path_.c_str());
}

std::int64_t NewFile::size() const {
  struct stat status{};
  return ::fstat(fd_, &status) == 0 ? status.st_size : -1;
}

bool NewFile::publish(const std::filesystem::path& path) {
  if (!files::sync(fd_) || !rename_to_new(path_, path)) return false;
  path_ = path;
  return sync_folder(path.parent_path());
}

void NewFile::remove_others(const std::filesystem::path& folder, const std::string& name) {
  const std::string beginning = hidden(name);
  std::error_code failure;
  std::filesystem::directory_iterator entry(folder, failure);
  while (!failure && entry != std::filesystem::directory_iterator()) {
    if (is_temporary(*entry, beginning)) ::unlink(entry->path().c_str());
    entry.increment(failure);
  }
}

}  // namespace molecule::workspace

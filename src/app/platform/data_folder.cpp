#include "app/platform/data_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/files/files.hpp"
#include "base/random.hpp"
#include "base/text/byte_order_mark.hpp"
#include "base/text/text.hpp"
#include "server/api/files/upload_folder.hpp"

namespace molecule::app {

namespace {

/// Takes whichever kind of lock the file system has. Returns 0, EWOULDBLOCK if another process
/// holds it, or the errno that says why there are no locks.
int lock_file(int fd) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return 0;
  if (errno == EWOULDBLOCK) return EWOULDBLOCK;
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
#ifdef F_OFD_SETLK
  if (::fcntl(fd, F_OFD_SETLK, &whole) == 0) return 0;
  if (errno == EACCES || errno == EAGAIN) return EWOULDBLOCK;
#endif
  // Held until the process closes any descriptor of the file, and nothing else opens it.
  if (::fcntl(fd, F_SETLK, &whole) == 0) return 0;
  return errno == EACCES || errno == EAGAIN ? EWOULDBLOCK : errno;
}

bool is_sendable(std::string_view token) {
  return std::ranges::all_of(token, [](unsigned char c) { return c >= 0x20 && c < 0x7F; });
}

}  // namespace

Result<DataFolder, std::string> DataFolder::open(const std::filesystem::path& path,
                                                 const std::filesystem::path& uploads) {
  if (const auto made = files::make_private_folder(path); !made) {
    return Failure{fmt::format("data folder {}: {}", path.string(), made.error().message)};
  }
  DataFolder folder(path, uploads);
  if (auto taken = folder.take(); !taken) return Failure{std::move(taken.error())};
  if (auto claimed = server::claim_upload_folder(folder.uploads()); !claimed) {
    return Failure{std::move(claimed.error())};
  }
  return folder;
}

bool DataFolder::is_used(const std::filesystem::path& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return false;
  const int failure = ::flock(folder, LOCK_SH | LOCK_NB) == 0 ? 0 : errno;
  ::close(folder);
  if (failure == 0 || failure == EWOULDBLOCK) return failure != 0;
  // The file system locks no folders: what the process left there has to do.
  return ::access(address_file(path).c_str(), F_OK) == 0;
}

Result<void, std::string> DataFolder::take() {
  const auto in_use = [this] {
    return Failure{fmt::format(
        "another molecule-platform uses {}: stop it, or choose another folder with --data",
        path_.string())};
  };
  folder_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  folder_locked_ = folder_ >= 0 && ::flock(folder_, LOCK_EX | LOCK_NB) == 0;
  // Other errors: the file system locks only files that are open for writing.
  if (folder_ >= 0 && !folder_locked_ && errno == EWOULDBLOCK) return in_use();
  const std::filesystem::path file = path_ / "lock";
  lock_ = files::open_regular(file, O_RDWR | O_CREAT);
  if (lock_ < 0) {
    return Failure{fmt::format("cannot open {}: {}", file.string(), files::reason(errno))};
  }
  const int failure = lock_file(lock_);
  if (failure == EWOULDBLOCK) return in_use();
  if (failure == 0) return {};
  return Failure{
      fmt::format("cannot lock {}: {}: its file system has no locks; choose another "
                  "folder with --data",
                  file.string(), std::strerror(failure))};
}

DataFolder::DataFolder(DataFolder&& other) noexcept
    : path_(std::move(other.path_)),
      uploads_(std::move(other.uploads_)),
      folder_(std::exchange(other.folder_, -1)),
      folder_locked_(other.folder_locked_),
      lock_(std::exchange(other.lock_, -1)) {}

DataFolder::~DataFolder() {
  for (const int fd : {folder_, lock_}) {
    if (fd >= 0) ::close(fd);
  }
}

bool DataFolder::intact() const {
  struct stat named{};
  struct stat open{};
  if (::stat(path_.c_str(), &named) != 0) return errno != ENOENT && errno != ENOTDIR;
  const bool same = folder_ < 0 || ::fstat(folder_, &open) != 0 ||
                    (named.st_dev == open.st_dev && named.st_ino == open.st_ino);
  return same && (folder_locked_ || files::still_named(path_ / "lock", lock_));
}

std::vector<std::string> DataFolder::token_warnings(std::string_view token) const {
  constexpr std::size_t enough = 16;
  std::vector<std::string> warnings;
  if (token.size() < enough) {
    warnings.push_back(fmt::format(
        "the admin token has {} characters and can be guessed: use at least {} random ones",
        token.size(), enough));
  }
  struct stat status{};
  const std::filesystem::path file = admin_token_file();
  if (::stat(file.c_str(), &status) == 0 && (status.st_mode & 077) != 0) {
    warnings.push_back(
        fmt::format("other users of this machine can open {} (mode {:03o}): chmod 600",
                    file.string(), status.st_mode & 0777));
  }
  return warnings;
}

Result<std::string, std::string> DataFolder::admin_token() const {
  const auto kept = files::read(admin_token_file());
  if (kept) {
    std::string token(text::trim(text::without_byte_order_mark(*kept)));
    const char* problem = token.empty()         ? "is empty"
                          : !is_sendable(token) ? "holds what no header can carry"
                                                : nullptr;
    if (!problem) return token;
    return Failure{fmt::format("{} {}: remove it, and a new admin token is made",
                               admin_token_file().string(), problem)};
  }
  if (kept.error().code != ENOENT) return Failure{kept.error().message};
  std::string token = random_token();
  if (const auto written = files::replace(admin_token_file(), token + "\n"); !written) {
    return Failure{written.error().message};
  }
  return token;
}

}  // namespace molecule::app

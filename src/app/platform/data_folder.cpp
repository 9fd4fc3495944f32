#include "app/platform/data_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/files/files.hpp"
#include "base/random.hpp"
#include "base/text/text.hpp"
#include "server/api/files/upload_folder.hpp"

namespace molecule::app {

Result<DataFolder, std::string> DataFolder::open(const std::filesystem::path& path) {
  if (const auto made = files::make_private_folder(path); !made) {
    return Failure{fmt::format("data folder {}: {}", path.string(), made.error().message)};
  }
  const std::filesystem::path file = path / "lock";
  const int lock = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0) {
    return Failure{fmt::format("cannot open {}: {}", file.string(), std::strerror(errno))};
  }
  DataFolder folder(path, lock);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return Failure{fmt::format("cannot lock {}: {}", file.string(), std::strerror(errno))};
    }
    return Failure{fmt::format(
        "another molecule-platform uses {}: stop it, or choose another folder with --data",
        path.string())};
  }
  if (auto claimed = server::claim_upload_folder(folder.uploads()); !claimed) {
    return Failure{std::move(claimed.error())};
  }
  return folder;
}

DataFolder::DataFolder(DataFolder&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataFolder::~DataFolder() {
  if (lock_ >= 0) ::close(lock_);
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
    std::string token(text::trim(*kept));
    if (token.empty()) {
      return Failure{fmt::format("{} is empty: remove it, and a new admin token is made",
                                 admin_token_file().string())};
    }
    return token;
  }
  if (kept.error().code != ENOENT) return Failure{kept.error().message};
  std::string token = random_token();
  if (const auto written = files::replace(admin_token_file(), token + "\n"); !written) {
    return Failure{written.error().message};
  }
  return token;
}

}  // namespace molecule::app

#include "app/platform/data_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/files/files.hpp"
#include "base/random.hpp"
#include "base/text/text.hpp"

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
  if (const auto made = files::make_private_folder(folder.uploads()); !made) {
    return Failure{fmt::format("data folder: {}", made.error().message)};
  }
  return folder;
}

DataFolder::DataFolder(DataFolder&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataFolder::~DataFolder() {
  if (lock_ >= 0) ::close(lock_);
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

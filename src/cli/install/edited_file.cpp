#include "cli/install/edited_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/files/files.hpp"

namespace molecule::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_bytes = std::size_t{64} << 20;

Result<void, std::string> told(Result<void, files::Error> outcome) {
  if (!outcome.ok()) return Failure{std::move(outcome.error().message)};
  return {};
}

}  // namespace

Result<EditedFile, std::string> EditedFile::open(const fs::path& path) {
  EditedFile file;
  std::error_code failed;
  // People keep such files elsewhere and link them: the link stays.
  const fs::path real = fs::canonical(path, failed);
  file.path_ = failed ? path : real;
  struct stat status{};
  if (::stat(file.path_.c_str(), &status) != 0) {
    if (errno == ENOENT) return file;
    return Failure{"cannot read " + path.string() + ": " + files::reason(errno)};
  }
  auto content = files::read(file.path_, max_bytes);
  if (!content.ok()) return Failure{std::move(content.error().message)};
  file.existed_ = true;
  file.before_ = std::move(*content);
  file.mode_ = status.st_mode & 07777U;
  return file;
}

fs::path EditedFile::backup_path() const {
  return path_.string() + ".before-molecule";
}

std::string EditedFile::original() const {
  auto content = files::read(backup_path(), max_bytes);
  return content.ok() ? std::move(*content) : std::string();
}

Result<void, std::string> EditedFile::write(const std::string& content, bool keep) const {
  if (!existed_) {
    if (auto made = files::make_private_folder(path_.parent_path()); !made.ok()) {
      return Failure{std::move(made.error().message)};
    }
  } else if (keep && ::access(backup_path().c_str(), F_OK) != 0) {
    if (auto kept = files::replace(backup_path(), before_, mode_ & 0600U); !kept.ok()) {
      return Failure{std::move(kept.error().message)};
    }
  }
  return told(files::replace(path_, content, mode_));
}

Result<void, std::string> EditedFile::restore() const {
  const bool kept = ::access(backup_path().c_str(), F_OK) == 0;
  if (kept) {
    if (auto written = told(files::replace(path_, original(), mode_)); !written.ok()) {
      return written;
    }
    ::unlink(backup_path().c_str());
    return {};
  }
  if (::unlink(path_.c_str()) != 0 && errno != ENOENT) {
    return Failure{"cannot remove " + path_.string() + ": " + files::reason(errno)};
  }
  return {};
}

}  // namespace molecule::cli

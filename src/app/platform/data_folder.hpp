#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace molecule::app {

/// The platform's data directory, used by one process at a time: while this exists, another process
/// is refused the folder. The system releases it when the process ends, in whatever way.
class DataFolder {
 public:
  /// Makes the folder (0700) if it is missing. Failures are texts for the user, with the path.
  /// `uploads` is the folder of waiting files; empty: one in the data folder.
  static Result<DataFolder, std::string> open(const std::filesystem::path& path,
                                              const std::filesystem::path& uploads = {});

  DataFolder(DataFolder&& other) noexcept;
  DataFolder& operator=(DataFolder&&) = delete;
  ~DataFolder();

  /// True if a process uses the folder now.
  static bool is_used(const std::filesystem::path& path);

  /// False if it was removed or replaced.
  bool intact() const;

  std::filesystem::path database() const { return database(path_); }
  static std::filesystem::path database(const std::filesystem::path& path) {
    return path / "platform.db";
  }
  /// A folder of the platform's own: uploads that are unknown to the database are removed from it.
  std::filesystem::path uploads() const { return uploads_.empty() ? uploads(path_) : uploads_; }
  static std::filesystem::path uploads(const std::filesystem::path& path) {
    return path / "uploads";
  }
  std::filesystem::path admin_token_file() const { return path_ / "admin_token"; }

  /// The file that says at which URL the platform that uses `path` is reached.
  static std::filesystem::path address_file(const std::filesystem::path& path) {
    return path / "address";
  }

  /// The admin token in its file, which is made (0600) if it is missing.
  Result<std::string, std::string> admin_token() const;
  /// What is unsafe about `token`, which need not be the file's, and about the file's mode.
  std::vector<std::string> token_warnings(std::string_view token) const;

 private:
  DataFolder(std::filesystem::path path, std::filesystem::path uploads)
      : path_(std::move(path)), uploads_(std::move(uploads)) {}
  /// Locks the folder itself and a file in it.
  Result<void, std::string> take();

  std::filesystem::path path_;
  std::filesystem::path uploads_;
  int folder_ = -1;
  /// The folder itself is locked, so that the file in it may be removed.
  bool folder_locked_ = false;
  int lock_ = -1;
};

}  // namespace molecule::app

#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace molecule::app {

/// Where a platform keeps what it knows, held by one process at a time: until this ends, another
/// one is refused the folder (the system lets go of it when the process ends, however that is).
class DataFolder {
 public:
  /// Makes the folder (0700) where it is missing. Failures are texts for people, with the path.
  static Result<DataFolder, std::string> open(const std::filesystem::path& path);

  DataFolder(DataFolder&& other) noexcept;
  DataFolder& operator=(DataFolder&&) = delete;
  ~DataFolder();

  std::filesystem::path database() const { return path_ / "platform.db"; }
  /// A folder of the platform's own: uploads that are unknown to the database are removed from it.
  std::filesystem::path uploads() const { return path_ / "uploads"; }
  std::filesystem::path admin_token_file() const { return path_ / "admin_token"; }

  /// The admin token in its file, made (0600) where there is none.
  Result<std::string, std::string> admin_token() const;
  /// What is unsafe about `token`, which need not be the file's, and about the file's mode.
  std::vector<std::string> token_warnings(std::string_view token) const;

 private:
  DataFolder(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::filesystem::path path_;
  int lock_;
};

}  // namespace molecule::app

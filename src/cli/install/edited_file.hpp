#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace molecule::cli {

/// A configuration file of somebody else's program, while it is edited.
class EditedFile {
 public:
  /// A file that is not there is an empty one. The error is for people.
  static Result<EditedFile, std::string> open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const std::string& before() const { return before_; }
  bool existed() const { return existed_; }
  /// The content as it was before this program first changed the file; empty if that is unknown.
  std::string original() const;

  /// Replaces the content, by rename, with the file's own mode (0600 for a new file) and at the end
  /// of its symbolic links. With `keep`, the content of before is kept beside it
  /// once.
  Result<void, std::string> write(const std::string& content, bool keep) const;
  /// Undoes everything: the kept content comes back, or the file that was made goes.
  Result<void, std::string> restore() const;

  std::filesystem::path backup_path() const;

 private:
  std::filesystem::path path_;
  std::string before_;
  bool existed_ = false;
  unsigned mode_ = 0600;
};

}  // namespace molecule::cli

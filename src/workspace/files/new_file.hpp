#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace molecule::workspace {

/// A file being written under a hidden name of its own: several processes may write a file of the
/// same name without touching each other's. The destructor removes it unless it was kept.
class NewFile {
 public:
  /// Creates it (0600) in `folder`; `name` becomes part of its hidden name.
  NewFile(const std::filesystem::path& folder, const std::string& name);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  /// Negative if it could not be created; errno says why.
  int fd() const { return fd_; }
  /// Negative if unknown.
  std::int64_t size() const;
  /// Makes it durable and gives it the name `path`, in the same folder. If that fails: false with
  /// errno set, EEXIST if the name is taken.
  bool publish(const std::filesystem::path& path);
  /// The destructor will not remove it.
  void keep() { kept_ = true; }

  /// Removes what other processes began for a file of this name and did not publish. One that is
  /// still writing cannot publish after that.
  static void remove_others(const std::filesystem::path& folder, const std::string& name);

 private:
  /// Its current name.
  std::filesystem::path path_;
  int fd_ = -1;
  bool kept_ = false;
};

}  // namespace molecule::workspace

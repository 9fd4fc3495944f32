#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace molecule::workspace {

/// A file in the making, under a hidden name that nobody else has: several processes may make one
/// of the same name, and each touches its own only. It goes away again unless it was kept.
class NewFile {
 public:
  /// Makes it, 0600, in `folder`; `name` is a part of its hidden name.
  NewFile(const std::filesystem::path& folder, const std::string& name);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  /// Negative where it could not be made; errno says why.
  int fd() const { return fd_; }
  /// Negative where that cannot be told.
  std::int64_t size() const;
  /// Makes it durable and gives it the name `path`, in the same folder. False with errno set:
  /// EEXIST where something has that name; that is left as it is.
  bool publish(const std::filesystem::path& path);
  /// It stays when this object goes.
  void keep() { kept_ = true; }

  /// Removes what other processes began for a file of this name and did not publish. One of them
  /// that is still at it cannot publish then.
  static void remove_others(const std::filesystem::path& folder, const std::string& name);

 private:
  /// Where it is now.
  std::filesystem::path path_;
  int fd_ = -1;
  bool kept_ = false;
};

}  // namespace molecule::workspace

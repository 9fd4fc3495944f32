#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace molecule::workspace {

/// A file that is being written, under a hidden name of its own: several processes may write one of
/// the same name, and each touches only its own. It is removed at the end unless it was kept.
class NewFile {
 public:
  /// Makes it (0600) in `folder`; `name` becomes part of its hidden name.
  NewFile(const std::filesystem::path& folder, const std::string& name);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  /// Negative if it could not be made; errno says why.
  int fd() const { return fd_; }
  /// Negative if unknown.
  std::int64_t size() const;
  /// Makes it durable and gives it the name `path`, in the same folder. False with errno set;
  /// EEXIST if something has that name, which is left unchanged.
  bool publish(const std::filesystem::path& path);
  /// It stays when this object ends.
  void keep() { kept_ = true; }

  /// Removes what other processes began for a file of this name and did not publish. One that is
  /// still writing cannot publish after that.
  static void remove_others(const std::filesystem::path& folder, const std::string& name);

 private:
  /// Its present name.
  std::filesystem::path path_;
  int fd_ = -1;
  bool kept_ = false;
};

}  // namespace molecule::workspace

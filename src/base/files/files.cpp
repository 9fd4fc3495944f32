#include "base/files/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/random.hpp"

namespace molecule::files {

namespace {

namespace fs = std::filesystem;

Failure<Error> failed(std::string_view what, const fs::path& path, int code) {
  return Failure{Error{code, fmt::format("cannot {} {}: {}", what, path.string(), reason(code))}};
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  /// Some file systems report a failed write only here.
  int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

int write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

int sync_folder(const fs::path& folder) {
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.open()) return errno;
  // EINVAL: this file system cannot sync folders, so nothing more can be done.
  return ::fsync(fd.get()) == 0 || errno == EINVAL ? 0 : errno;
}

int write_new(const fs::path& path, std::string_view content, mode_t mode) {
  Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd.open()) return errno;
  if (const int code = write_all(fd.get(), content); code != 0) return code;
  if (!sync(fd.get())) return errno;
  return fd.close() == 0 ? 0 : errno;
}

fs::path temporary_beside(const fs::path& path) {
  return folder_of(path) / fmt::format(".{}.{}", path.filename().string(), random_token(6));
}

}  // namespace

Result<std::string, Error> read(const fs::path& path, std::size_t limit, Links links) {
  const Descriptor fd(open_regular(path, O_RDONLY, links));
  if (!fd.open()) return failed("read", path, errno);
  std::string content;
  std::array<char, 16384> chunk{};
  while (true) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read", path, errno);
    if (got == 0) return content;
    content.append(chunk.data(), static_cast<std::size_t>(got));
    if (content.size() > limit) return failed("read", path, EFBIG);
  }
}

Result<void, Error> replace(const fs::path& path, std::string_view content, mode_t mode) {
  const fs::path temporary = temporary_beside(path);
  int code = write_new(temporary, content, mode);
  if (code == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) code = errno;
  if (code != 0) {
    ::unlink(temporary.c_str());
    return failed("write", path, code);
  }
  if (const int sync = sync_folder(folder_of(path)); sync != 0) return failed("sync", path, sync);
  return {};
}

Result<void, Error> make_private_folder(const fs::path& path) {
  std::vector<fs::path> missing;
  for (fs::path at = path; !at.empty() && ::access(at.c_str(), F_OK) != 0;) {
    missing.push_back(at);
    fs::path above = at.parent_path();
    if (above == at) break;
    at = std::move(above);
  }
  while (!missing.empty()) {
    if (::mkdir(missing.back().c_str(), 0700) != 0 && errno != EEXIST) {
      return failed("make folder", missing.back(), errno);
    }
    missing.pop_back();
  }
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return failed("open folder", path, errno);
  if (!S_ISDIR(status.st_mode)) return failed("open folder", path, ENOTDIR);
  return {};
}

Result<void, Error> check_writable(const fs::path& folder) {
  const fs::path probe = temporary_beside(folder / "probe");
  const int code = write_new(probe, "", 0600);
  ::unlink(probe.c_str());
  if (code != 0) return failed("write to folder", folder, code);
  return {};
}

}  // namespace molecule::files

#include "net/upload_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/curl_api.hpp"

namespace molecule::net {

UploadFile::UploadFile(const std::filesystem::path& path) : name_(path.string()) {
  // Opening a FIFO would wait for its writer.
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status{};
  if (fd_ < 0 || ::fstat(fd_, &status) != 0) {
    problem_ = fmt::format("cannot read {}: {}", name_, std::strerror(errno));
  } else if (!S_ISREG(status.st_mode)) {
    problem_ = fmt::format("cannot read {}: not a regular file", name_);
  }
  size_ = status.st_size;
}

UploadFile::~UploadFile() {
  if (fd_ >= 0) ::close(fd_);
}

std::size_t UploadFile::on_read(char* target, std::size_t size, std::size_t count, void* self) {
  auto& file = *static_cast<UploadFile*>(self);
  // What was appended since it was opened is not part of the announced length.
  const auto left = static_cast<std::size_t>(file.size_ - file.at_);
  const std::size_t want = std::min(size * count, left);
  if (want == 0) return 0;
  ssize_t got = 0;
  do {
    got = ::pread(file.fd_, target, want, file.at_);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) {
    file.problem_ = fmt::format("cannot read {}: {}", file.name_,
                                got < 0 ? std::strerror(errno) : "it became shorter meanwhile");
    return CURL_READFUNC_ABORT;
  }
  file.at_ += got;
  return static_cast<std::size_t>(got);
}

int UploadFile::on_seek(void* self, std::int64_t offset, int origin) {
  auto& file = *static_cast<UploadFile*>(self);
  if (origin != SEEK_SET || offset < 0 || offset > file.size_) return CURL_SEEKFUNC_FAIL;
  file.at_ = offset;
  return CURL_SEEKFUNC_OK;
}

}  // namespace molecule::net

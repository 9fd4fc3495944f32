#include "net/upload_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/files/open.hpp"
#include "net/curl_api.hpp"

namespace molecule::net {

UploadFile::UploadFile(const FormFile& file)
    : name_(file.path.string()), size_matters_(file.size.has_value()) {
  fd_ = files::open_regular(file.path, O_RDONLY, files::Links::follow);
  struct stat status{};
  if (fd_ < 0 || ::fstat(fd_, &status) != 0) {
    problem_ = fmt::format("cannot read {}: {}", name_, files::reason(errno));
  } else if (!files::is_stored(fd_)) {
    problem_ = fmt::format("cannot read {}: it is no stored file", name_);
  } else if ((file.size && *file.size != status.st_size) ||
             (file.identity && file.identity != files::identity(fd_))) {
    problem_ = fmt::format("cannot read {}: it changed meanwhile", name_);
  }
  size_ = status.st_size;
}

UploadFile::~UploadFile() {
  if (fd_ >= 0) ::close(fd_);
}

bool UploadFile::grew() const {
  struct stat status{};
  return ::fstat(fd_, &status) == 0 && status.st_size > size_;
}

std::size_t UploadFile::on_read(char* target, std::size_t size, std::size_t count, void* self) {
  auto& file = *static_cast<UploadFile*>(self);
  // Bytes appended since it was opened are not part of the announced length.
  const auto left = static_cast<std::size_t>(file.size_ - file.at_);
  const std::size_t want = std::min(size * count, left);
  if (want == 0 && file.size_matters_ && file.grew()) {
    file.problem_ = fmt::format("cannot read {}: it became longer meanwhile", file.name_);
    return CURL_READFUNC_ABORT;
  }
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

#pragma once

#include <cstdint>
#include <string>

#include "net/http_client.hpp"

namespace molecule::net {

/// A regular file that is streamed into a request, with its size at the time of opening. Fails if
/// it is not the file that the caller checked, then or at the end.
class UploadFile {
 public:
  explicit UploadFile(const FormFile& file);
  UploadFile(const UploadFile&) = delete;
  UploadFile& operator=(const UploadFile&) = delete;
  ~UploadFile();

  /// Why it cannot be read; empty if it can. Also set if reading fails later.
  const std::string& problem() const { return problem_; }
  std::int64_t size() const { return size_; }

  /// The callbacks of curl_mime_data_cb; `self` is the UploadFile.
  static std::size_t on_read(char* target, std::size_t size, std::size_t count, void* self);
  static int on_seek(void* self, std::int64_t offset, int origin);

 private:
  /// True if it has grown since it was opened.
  bool grew() const;

  std::string name_;
  int fd_ = -1;
  std::int64_t size_ = 0;
  bool size_matters_ = false;
  std::int64_t at_ = 0;
  std::string problem_;
};

}  // namespace molecule::net

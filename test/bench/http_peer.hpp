#pragma once

#include <cstdint>
#include <string>

namespace molecule::bench {

/// A bare HTTP client on one kept connection to the loopback: what a request costs without any
/// client of ours.
class HttpPeer {
 public:
  /// Asks for `path` with the workspace's `id` and `token`.
  HttpPeer(std::uint16_t port, const std::string& path, const std::string& id,
           const std::string& token);
  HttpPeer(const HttpPeer&) = delete;
  HttpPeer& operator=(const HttpPeer&) = delete;
  ~HttpPeer();

  /// One request and its answer, which must have status 200. Throws.
  void get();

 private:
  int socket_ = -1;
  std::string request_;
  std::string answer_;
};

}  // namespace molecule::bench

#pragma once

#include <cstdint>
#include <string>

namespace molecule::bench {

/// A minimal HTTP client on one persistent loopback connection: measures a request without the
/// overhead of our own client.
class HttpPeer {
 public:
  /// Requests `path` with the workspace's `id` and `token`.
  HttpPeer(std::uint16_t port, const std::string& path, const std::string& id,
           const std::string& token);
  HttpPeer(const HttpPeer&) = delete;
  HttpPeer& operator=(const HttpPeer&) = delete;
  ~HttpPeer();

  /// Performs one request. Throws unless the status is 200.
  void get();

 private:
  int socket_ = -1;
  std::string request_;
  std::string answer_;
};

}  // namespace molecule::bench

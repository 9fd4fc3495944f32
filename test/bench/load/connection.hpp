#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace molecule::bench {

/// A kept HTTP connection to a server on this machine: non-blocking, one request at a time, only as
/// much of HTTP as the platform's answers need.
class Connection {
 public:
  /// Begins to connect. Throws `std::system_error`.
  explicit Connection(std::uint16_t port);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  int descriptor() const { return descriptor_; }
  bool busy() const { return busy_; }
  /// Sends a request, now or once the connection stands.
  void send(std::string_view request);
  /// To be called when the socket is ready. Returns true when an answer is complete. Throws if the
  /// server closes the connection.
  bool ready(bool writable);
  int status() const { return status_; }
  std::string_view body() const;

  /// The answer is an event stream, which never ends: `ready` discards what comes, and returns true
  /// once, after the head.
  void follow() { following_ = true; }

 private:
  bool read_head();
  void flush();

  int descriptor_;
  bool busy_ = false;
  bool following_ = false;
  bool connected_ = false;
  std::string out_;
  std::string in_;
  std::size_t body_at_ = 0;
  std::size_t body_size_ = 0;
  int status_ = 0;
};

}  // namespace molecule::bench

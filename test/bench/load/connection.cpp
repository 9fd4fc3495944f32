#include "bench/load/connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

#include "base/text/text.hpp"

namespace molecule::bench {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

Connection::Connection(std::uint16_t port)
    : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  if (descriptor_ < 0) fail("socket");
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(descriptor_, generic, sizeof address) != 0 && errno != EINPROGRESS) {
    ::close(descriptor_);
    fail("connect");
  }
}

Connection::~Connection() {
  ::close(descriptor_);
}

void Connection::send(std::string_view request) {
  busy_ = true;
  body_at_ = 0;
  in_.clear();
  out_.append(request);
  if (connected_) flush();
}

void Connection::flush() {
  if (out_.empty()) return;
  const ssize_t sent = ::send(descriptor_, out_.data(), out_.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) fail("send");
  if (sent > 0) out_.erase(0, static_cast<std::size_t>(sent));
}

bool Connection::read_head() {
  const std::size_t end = in_.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  constexpr std::size_t status_at = 9;  // after "HTTP/1.1 "
  status_ = std::atoi(in_.c_str() + status_at);
  body_at_ = end + 4;
  constexpr std::string_view name = "\r\ncontent-length: ";
  const std::size_t at = text::lower(in_.substr(0, end)).find(name);
  if (at == std::string::npos && !following_) throw std::runtime_error("an answer has no length");
  body_size_ =
      at == std::string::npos ? 0 : std::strtoul(in_.c_str() + at + name.size(), nullptr, 10);
  return true;
}

bool Connection::ready(bool writable) {
  if (writable) {
    connected_ = true;
    flush();
  }
  const bool had_head = body_at_ != 0;
  bool complete = false;
  while (true) {
    std::array<char, 16384> chunk;
    const ssize_t got = ::recv(descriptor_, chunk.data(), chunk.size(), 0);
    if (got == 0) throw std::runtime_error("the server closed a connection");
    if (got < 0 && (errno == EAGAIN || errno == ENOTCONN)) break;
    if (got < 0) fail("receive");
    if (following_ && body_at_ != 0) continue;
    in_.append(chunk.data(), static_cast<std::size_t>(got));
    if (body_at_ == 0 && !read_head()) continue;
    if (following_) continue;
    complete = in_.size() >= body_at_ + body_size_;
    if (complete) break;
  }
  if (following_) return !had_head && body_at_ != 0;
  if (complete) busy_ = false;
  return complete;
}

std::string_view Connection::body() const {
  return std::string_view(in_).substr(body_at_, body_size_);
}

}  // namespace molecule::bench

#include "bench/http_peer.hpp"

#include <fmt/format.h>
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

/// The length of head and body, or 0 while the head is incomplete.
std::size_t whole_length(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  if (end == std::string::npos) return 0;
  constexpr std::string_view name = "content-length: ";
  const std::size_t at = text::lower(answer.substr(0, end)).find(name);
  if (at == std::string::npos) throw std::runtime_error("an answer without a length");
  return end + 4 + std::strtoul(answer.c_str() + at + name.size(), nullptr, 10);
}

}  // namespace

HttpPeer::HttpPeer(std::uint16_t port, const std::string& path, const std::string& id,
                   const std::string& token)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      request_(fmt::format("GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {}\r\n"
                           "X-Workspace-ID: {}\r\n\r\n",
                           path, port, token, id)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::system_error(errno, std::generic_category(), "connect");
  }
}

HttpPeer::~HttpPeer() {
  ::close(socket_);
}

void HttpPeer::get() {
  if (::send(socket_, request_.data(), request_.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request_.size())) {
    throw std::system_error(errno, std::generic_category(), "send");
  }
  answer_.clear();
  std::array<char, 16384> chunk{};
  while (answer_.empty() || whole_length(answer_) == 0 || answer_.size() < whole_length(answer_)) {
    const ssize_t got = ::recv(socket_, chunk.data(), chunk.size(), 0);
    if (got <= 0) throw std::runtime_error("the server closed the connection");
    answer_.append(chunk.data(), static_cast<std::size_t>(got));
  }
  if (!answer_.starts_with("HTTP/1.1 200 ")) throw std::runtime_error(answer_);
}

}  // namespace molecule::bench

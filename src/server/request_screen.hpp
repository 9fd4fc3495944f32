#pragma once

#include <http_parser.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace molecule::server {

/// Looks at the bytes of one connection before RESTinio does, which drops a connection without a
/// word where a request is malformed or too large, and believes any length that a WebSocket frame
/// claims. Knows no sockets.
class RequestScreen {
 public:
  enum class Verdict { pass, malformed, head_too_large, body_too_large, frame_too_large };

  struct Limits {
    std::uint64_t body = 0;
    /// Of `POST …/chat/uploads`.
    std::uint64_t upload = 0;
  };

  explicit RequestScreen(Limits limits);
  RequestScreen(const RequestScreen&) = delete;
  RequestScreen& operator=(const RequestScreen&) = delete;

  /// How many bytes of `data` (what was read next) may be passed on: all, unless the verdict
  /// changed. Never so much that the reader would see the end of an offending head or frame.
  std::size_t take(std::string_view data);
  Verdict verdict() const { return verdict_; }
  /// What the current request may have.
  std::uint64_t most_body_bytes() const { return most_body_bytes_; }

 private:
  static int on_url(http_parser* parser, const char* data, std::size_t size);
  static int on_headers_complete(http_parser* parser);
  static int on_chunk_header(http_parser* parser);
  static int on_body(http_parser* parser, const char* data, std::size_t size);
  static int on_message_complete(http_parser* parser);

  void begin_message();
  int refuse(Verdict verdict);
  std::size_t take_requests(std::string_view data);
  std::size_t take_frames(std::string_view data);

  const Limits limits_;
  std::uint64_t most_body_bytes_ = 0;
  std::string url_;
  Verdict verdict_ = Verdict::pass;
  http_parser parser_{};
  std::uint64_t body_bytes_ = 0;
  std::uint64_t chunks_ = 0;
  bool complete_ = false;
  /// After a request to upgrade the bytes are WebSocket frames (RFC 6455 5.2).
  bool frames_ = false;
  std::array<unsigned char, 14> frame_head_{};
  std::size_t frame_head_size_ = 0;
  std::uint64_t frame_left_ = 0;
};

}  // namespace molecule::server

#include "request_screen.hpp"

#include <algorithm>
#include <climits>

namespace molecule::server {

namespace {

/// RESTinio keeps a record of each chunk.
constexpr std::uint64_t most_chunks = 100'000;
/// Clients have nothing to say on a WebSocket but control frames.
constexpr std::uint64_t most_frame_bytes = std::uint64_t{64} << 10;

http_parser_settings make_settings(http_data_cb url, http_cb headers, http_cb chunk,
                                   http_data_cb body, http_cb message) {
  http_parser_settings settings;
  http_parser_settings_init(&settings);
  settings.on_url = url;
  settings.on_headers_complete = headers;
  settings.on_chunk_header = chunk;
  settings.on_body = body;
  settings.on_message_complete = message;
  return settings;
}

RequestScreen& screen_of(http_parser* parser) {
  return *static_cast<RequestScreen*>(parser->data);
}

/// The whole size of a frame's head, as far as its first bytes tell.
std::size_t head_bytes(const std::array<unsigned char, 14>& head, std::size_t known) {
  if (known < 2) return 2;
  const unsigned length = head[1] & 0x7FU;
  const std::size_t extended = length == 126 ? 2 : (length == 127 ? 8 : 0);
  const std::size_t mask = (head[1] & 0x80U) != 0 ? 4 : 0;
  return 2 + extended + mask;
}

std::uint64_t payload_bytes(const std::array<unsigned char, 14>& head) {
  const unsigned length = head[1] & 0x7FU;
  if (length < 126) return length;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < (length == 126 ? 2U : 8U); ++i) bytes = (bytes << 8) | head[2 + i];
  return bytes;
}

}  // namespace

RequestScreen::RequestScreen(Limits limits) : limits_(limits) {
  begin_message();
}

void RequestScreen::begin_message() {
  http_parser_init(&parser_, HTTP_REQUEST);
  parser_.data = this;
  most_body_bytes_ = limits_.body;
  url_.clear();
  body_bytes_ = 0;
  chunks_ = 0;
  complete_ = false;
}

int RequestScreen::refuse(Verdict verdict) {
  verdict_ = verdict;
  return -1;
}

int RequestScreen::on_url(http_parser* parser, const char* data, std::size_t size) {
  screen_of(parser).url_.append(data, size);
  return 0;
}

int RequestScreen::on_headers_complete(http_parser* parser) {
  RequestScreen& screen = screen_of(parser);
  const std::string_view path = std::string_view(screen.url_).substr(0, screen.url_.find('?'));
  if (parser->method == HTTP_POST && path.ends_with("/chat/uploads")) {
    screen.most_body_bytes_ = screen.limits_.upload;
  }
  const bool known = parser->content_length != ULLONG_MAX;
  if (known && parser->content_length > screen.most_body_bytes_) {
    return screen.refuse(Verdict::body_too_large);
  }
  return 0;
}

int RequestScreen::on_chunk_header(http_parser* parser) {
  RequestScreen& screen = screen_of(parser);
  const bool too_large = parser->content_length > screen.most_body_bytes_ - screen.body_bytes_;
  if (too_large || ++screen.chunks_ > most_chunks) return screen.refuse(Verdict::body_too_large);
  return 0;
}

int RequestScreen::on_body(http_parser* parser, const char*, std::size_t size) {
  RequestScreen& screen = screen_of(parser);
  screen.body_bytes_ += size;
  if (screen.body_bytes_ > screen.most_body_bytes_) return screen.refuse(Verdict::body_too_large);
  return 0;
}

int RequestScreen::on_message_complete(http_parser* parser) {
  screen_of(parser).complete_ = true;
  http_parser_pause(parser, 1);
  return 0;
}

std::size_t RequestScreen::take(std::string_view data) {
  if (verdict_ != Verdict::pass) return 0;
  return frames_ ? take_frames(data) : take_requests(data);
}

std::size_t RequestScreen::take_requests(std::string_view data) {
  static const http_parser_settings settings =
      make_settings(on_url, on_headers_complete, on_chunk_header, on_body, on_message_complete);
  std::size_t passed = 0;
  while (passed < data.size()) {
    const std::string_view rest = data.substr(passed);
    const std::size_t parsed = http_parser_execute(&parser_, &settings, rest.data(), rest.size());
    if (!complete_) {
      const http_errno failure = HTTP_PARSER_ERRNO(&parser_);
      if (failure == HPE_OK) return data.size();
      if (verdict_ == Verdict::pass) {
        verdict_ = failure == HPE_HEADER_OVERFLOW ? Verdict::head_too_large : Verdict::malformed;
      }
      return passed;
    }
    passed += parsed;
    if (parser_.upgrade != 0) {
      // What comes before the answer to it belongs to no protocol.
      frames_ = true;
      return passed;
    }
    begin_message();
  }
  return passed;
}

std::size_t RequestScreen::take_frames(std::string_view data) {
  std::size_t passed = 0;
  std::size_t at = 0;
  while (at < data.size()) {
    if (frame_left_ > 0) {
      const std::size_t part = std::min<std::uint64_t>(frame_left_, data.size() - at);
      frame_left_ -= part;
      at += part;
      passed = at;
      continue;
    }
    frame_head_[frame_head_size_++] = static_cast<unsigned char>(data[at++]);
    if (frame_head_size_ < head_bytes(frame_head_, frame_head_size_)) continue;
    frame_left_ = payload_bytes(frame_head_);
    frame_head_size_ = 0;
    if (frame_left_ > most_frame_bytes) {
      verdict_ = Verdict::frame_too_large;
      return passed;
    }
    passed = at;
  }
  return data.size();
}

}  // namespace molecule::server

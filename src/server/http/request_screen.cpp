#include "server/http/request_screen.hpp"

#include <algorithm>
#include <climits>
#include <utility>

#include "base/text/text.hpp"
#include "server/http/http_gate.hpp"
#include "server/http/http_request.hpp"

namespace molecule::server {

namespace {

/// RESTinio keeps a record of each chunk.
constexpr std::uint64_t max_chunks = 100'000;
/// Clients send nothing but control frames on a WebSocket.
constexpr std::uint64_t max_frame_bytes = std::uint64_t{64} << 10;

http_parser_settings make_settings(http_data_cb url, http_data_cb field, http_data_cb value,
                                   http_cb headers, http_cb chunk, http_data_cb body,
                                   http_cb message) {
  http_parser_settings settings;
  http_parser_settings_init(&settings);
  settings.on_url = url;
  settings.on_header_field = field;
  settings.on_header_value = value;
  settings.on_headers_complete = headers;
  settings.on_chunk_header = chunk;
  settings.on_body = body;
  settings.on_message_complete = message;
  return settings;
}

RequestScreen& screen_of(http_parser* parser) {
  return *static_cast<RequestScreen*>(parser->data);
}

/// The size of a frame's head, as far as its known bytes determine it.
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

RequestScreen::RequestScreen(const Rules& rules, std::optional<asio::ip::address> client)
    : rules_(rules), client_(std::move(client)) {
  begin_message();
}

RequestScreen::Stage RequestScreen::stage() const {
  if (frames_) return Stage::stream;
  switch (framing_.part()) {
    case RequestFraming::Part::start:
      return Stage::idle;
    case RequestFraming::Part::head:
      return Stage::head;
    case RequestFraming::Part::body:
      break;
  }
  return Stage::body;
}

std::optional<Reply> RequestScreen::answer() const {
  switch (verdict_) {
    case Verdict::body_too_large:
      return body_too_large(max_body_bytes_);
    case Verdict::refused:
      return refusal_;
    case Verdict::head_too_large:
      return error_reply(431, "request head too large");
    case Verdict::malformed:
      return error_reply(400, "malformed HTTP request");
    case Verdict::frame_too_large:
    case Verdict::pass:
      break;
  }
  return std::nullopt;
}

void RequestScreen::begin_message() {
  framing_.begin_next();
  http_parser_init(&parser_, HTTP_REQUEST);
  parser_.data = this;
  max_body_bytes_ = rules_.unasked_bytes;
  url_.clear();
  field_.clear();
  field_ended_ = true;
  credentials_.clear();
  asked_ = false;
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

int RequestScreen::on_field(http_parser* parser, const char* data, std::size_t size) {
  RequestScreen& screen = screen_of(parser);
  if (std::exchange(screen.field_ended_, false)) screen.field_.clear();
  screen.field_.append(data, size);
  return 0;
}

int RequestScreen::on_value(http_parser* parser, const char* data, std::size_t size) {
  RequestScreen& screen = screen_of(parser);
  screen.field_ended_ = true;
  for (const std::string_view kept : {"Authorization", "Cookie", "Origin", "Sec-Fetch-Site"}) {
    if (!text::equal_ignoring_case(screen.field_, kept)) continue;
    screen.credentials_[std::string(kept)].append(data, size);
  }
  return 0;
}

int RequestScreen::expect(std::uint64_t bytes, std::optional<std::uint64_t> declared) {
  if (bytes <= max_body_bytes_) return 0;
  if (asked_) return refuse(Verdict::body_too_large);
  if (admit(declared) != 0) return -1;
  return bytes <= max_body_bytes_ ? 0 : refuse(Verdict::body_too_large);
}

int RequestScreen::admit(std::optional<std::uint64_t> declared) {
  asked_ = true;
  Request head;
  head.method = http_method_str(static_cast<http_method>(parser_.method));
  if (std::optional<Target> target = parse_target(url_)) head.path = std::move(target->path);
  head.client = client_;
  for (const auto& [name, value] : credentials_) head.headers.emplace_back(name, value);
  Result<Grant, Reply> grant = rules_.admit(head, declared);
  if (!grant) {
    refusal_ = std::move(grant.error());
    return refuse(Verdict::refused);
  }
  if (grant->pending != nullptr && pending_ != nullptr) {
    refusal_ = too_busy("too many large requests at a time: retry shortly");
    return refuse(Verdict::refused);
  }
  if (grant->pending != nullptr) {
    pending_ = std::move(grant->pending);
    pending_from_ = message_from_;
  }
  max_body_bytes_ = grant->max_bytes;
  share_ = std::move(grant->share);
  return 0;
}

int RequestScreen::count_body(std::size_t size) {
  body_bytes_ += size;
  if (expect(body_bytes_, std::nullopt) != 0) return -1;
  if (!asked_ && rules_.unasked != nullptr) {
    if (share_ == nullptr) share_ = rules_.unasked->share("");
    if (share_->grow(size)) return 0;
    if (admit(std::nullopt) != 0) return -1;
  }
  if (share_ == nullptr || share_->grow(body_bytes_ - share_->bytes())) return 0;
  refusal_ = too_busy("too many large requests at a time: retry shortly");
  return refuse(Verdict::refused);
}

int RequestScreen::on_headers_complete(http_parser* parser) {
  screen_of(parser).http_1_0_ = parser->http_major == 1 && parser->http_minor == 0;
  if (parser->content_length == ULLONG_MAX) return 0;
  return screen_of(parser).expect(parser->content_length, parser->content_length);
}

int RequestScreen::on_chunk_header(http_parser* parser) {
  RequestScreen& screen = screen_of(parser);
  if (++screen.chunks_ > max_chunks) return screen.refuse(Verdict::body_too_large);
  const std::uint64_t more = std::min<std::uint64_t>(parser->content_length, LLONG_MAX);
  return screen.expect(screen.body_bytes_ + more, std::nullopt);
}

int RequestScreen::on_body(http_parser* parser, const char*, std::size_t size) {
  return screen_of(parser).count_body(size);
}

int RequestScreen::on_message_complete(http_parser* parser) {
  RequestScreen& screen = screen_of(parser);
  screen.complete_ = true;
  screen.answered_ = std::move(screen.share_);
  http_parser_pause(parser, 1);
  return 0;
}

std::size_t RequestScreen::settle(std::size_t passed) {
  const std::shared_ptr<Decision> decision = std::exchange(pending_, nullptr);
  if (!decision->outcome || !*decision->outcome) return passed;
  refusal_ = **decision->outcome;
  verdict_ = Verdict::refused;
  return std::min(pending_from_, passed);
}

std::size_t RequestScreen::take(std::string_view data) {
  if (verdict_ != Verdict::pass) return 0;
  return frames_ ? take_frames(data) : take_requests(data);
}

std::size_t RequestScreen::take_requests(std::string_view data) {
  static const http_parser_settings settings =
      make_settings(on_url, on_field, on_value, on_headers_complete, on_chunk_header, on_body,
                    on_message_complete);
  std::size_t passed = 0;
  while (passed < data.size()) {
    message_from_ = passed;
    const std::string_view rest = data.substr(passed);
    const std::size_t framed = framing_.take(rest);
    if (framing_.problem() != RequestFraming::Problem::none) {
      verdict_ = framing_.problem() == RequestFraming::Problem::head_too_large
                     ? Verdict::head_too_large
                     : Verdict::malformed;
      return passed;
    }
    const std::size_t parsed = http_parser_execute(&parser_, &settings, rest.data(), framed);
    const bool failed = !complete_ && HTTP_PARSER_ERRNO(&parser_) != HPE_OK;
    // RESTinio has the same parser: a request that it would cut elsewhere is refused.
    if (failed || complete_ != framing_.complete() || parsed != framed) {
      if (verdict_ == Verdict::pass) verdict_ = Verdict::malformed;
      return passed;
    }
    if (!complete_) return data.size();
    passed += framed;
    if (parser_.upgrade != 0) {
      // Bytes that come before the answer belong to no protocol.
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
    if (frame_left_ > max_frame_bytes) {
      verdict_ = Verdict::frame_too_large;
      return passed;
    }
    passed = at;
  }
  return data.size();
}

std::string refused_answer(const RequestScreen& screen, std::string date) {
  // RFC 6455 7.4.1: 1009, "too big".
  if (screen.verdict() == RequestScreen::Verdict::frame_too_large) return "\x88\x02\x03\xf1";
  std::optional<Reply> reply = screen.answer();
  if (!reply) return {};
  add_common_headers({}, {}, *reply);
  reply->headers.emplace_back("Date", std::move(date));
  return closing_answer(*reply);
}

}  // namespace molecule::server

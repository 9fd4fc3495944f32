#include "server/http/request_framing.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text/text.hpp"

namespace molecule::server {

namespace {

/// A size and an extension, which is read over.
constexpr std::size_t max_chunk_line_bytes = 256;
/// Larger bodies are refused anyway, and sums of such numbers do not overflow.
constexpr std::size_t max_chunk_digits = 15;
constexpr std::uint64_t max_content_length = (std::uint64_t{1} << 62) - 1;

/// RFC 9110 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view allowed =
      "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c > 0x20 && c < 0x7F; });
}

/// Field values and chunk extensions: text, blanks and tabs.
bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7F; });
}

std::string_view trim_blanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool read_number(std::string_view digits, int base, std::uint64_t& number) {
  const char* end = digits.data() + digits.size();
  const auto [stop, failure] = std::from_chars(digits.data(), end, number, base);
  return failure == std::errc() && stop == end && number <= max_content_length;
}

}  // namespace

void RequestFraming::begin_next() {
  *this = RequestFraming();
}

RequestFraming::Part RequestFraming::part() const {
  if (state_ == State::request_line) return line_.empty() ? Part::start : Part::head;
  return state_ == State::field_line ? Part::head : Part::body;
}

bool RequestFraming::take_expectation() {
  // A client that sends the body at once does not wait any more.
  const bool waits = state_ == State::body || state_ == State::chunk_size;
  return std::exchange(expects_continue_, false) && waits && line_.empty();
}

std::size_t RequestFraming::take(std::string_view data) {
  std::size_t taken = 0;
  while (taken < data.size() && problem_ == Problem::none && state_ != State::complete) {
    if (state_ == State::body || state_ == State::chunk_data) {
      const std::size_t part = std::min<std::uint64_t>(left_, data.size() - taken);
      expects_continue_ = false;
      left_ -= part;
      taken += part;
      if (left_ == 0) state_ = state_ == State::body ? State::complete : State::chunk_end;
    } else {
      take_line_byte(data[taken++]);
    }
  }
  return taken;
}

std::size_t RequestFraming::max_line_bytes() const {
  switch (state_) {
    case State::chunk_size:
      return max_chunk_line_bytes;
    case State::chunk_end:
    case State::last_chunk_end:
      return 1;
    default:
      return max_head_bytes;
  }
}

void RequestFraming::take_line_byte(char byte) {
  const bool in_head = state_ == State::request_line || state_ == State::field_line;
  if (in_head && ++head_bytes_ > max_head_bytes) return fail(Problem::head_too_large);
  if (byte == '\n') {
    if (!line_.ends_with('\r')) return fail(Problem::malformed);
    line_.pop_back();
    return end_line();
  }
  if (line_.ends_with('\r') || line_.size() > max_line_bytes()) return fail(Problem::malformed);
  line_ += byte;
}

void RequestFraming::end_line() {
  const std::string line = std::exchange(line_, {});
  switch (state_) {
    case State::request_line:
      // RFC 9112 2.2: some clients end a body with an empty line that belongs to nothing.
      if (!line.empty()) return read_request_line(line);
      if (std::exchange(skipped_empty_line_, true)) fail(Problem::malformed);
      return;
    case State::field_line:
      return line.empty() ? end_head() : read_field(line);
    case State::chunk_size:
      return read_chunk_size(line);
    case State::chunk_end:
      if (!line.empty()) return fail(Problem::malformed);
      state_ = State::chunk_size;
      return;
    case State::last_chunk_end:
      if (!line.empty()) return fail(Problem::malformed);
      state_ = State::complete;
      return;
    default:
      return fail(Problem::malformed);
  }
}

void RequestFraming::read_request_line(std::string_view line) {
  const std::size_t method_end = line.find(' ');
  const std::size_t target_end = line.rfind(' ');
  if (method_end == std::string_view::npos || target_end <= method_end) {
    return fail(Problem::malformed);
  }
  const std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
  const std::string_view version = line.substr(target_end + 1);
  is_1_0_ = version == "HTTP/1.0";
  if (!is_token(line.substr(0, method_end)) || target.empty() || !is_visible(target) ||
      (version != "HTTP/1.1" && !is_1_0_)) {
    return fail(Problem::malformed);
  }
  state_ = State::field_line;
}

void RequestFraming::read_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return fail(Problem::malformed);
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim_blanks(line.substr(colon + 1));
  if (has_control(value)) return fail(Problem::malformed);
  if (text::equal_ignoring_case(name, "Host")) {
    if (std::exchange(has_host_, true)) fail(Problem::malformed);
  } else if (text::equal_ignoring_case(name, "Content-Length")) {
    // `from_chars` reads no sign and no blanks into an unsigned number.
    if (std::exchange(has_length_, true) || chunked_ || !read_number(value, 10, left_)) {
      fail(Problem::malformed);
    }
  } else if (text::equal_ignoring_case(name, "Transfer-Encoding")) {
    if (has_length_ || is_1_0_ || std::exchange(chunked_, true) ||
        !text::equal_ignoring_case(value, "chunked")) {
      fail(Problem::malformed);
    }
  } else if (text::equal_ignoring_case(name, "Expect")) {
    expects_continue_ = !is_1_0_ && text::equal_ignoring_case(value, "100-continue");
  }
}

void RequestFraming::end_head() {
  if (chunked_) {
    state_ = State::chunk_size;
  } else {
    state_ = left_ > 0 ? State::body : State::complete;
  }
}

void RequestFraming::read_chunk_size(std::string_view line) {
  const std::string_view digits = line.substr(0, line.find(';'));
  if (digits.size() > max_chunk_digits || has_control(line) || !read_number(digits, 16, left_)) {
    return fail(Problem::malformed);
  }
  expects_continue_ = false;
  state_ = left_ > 0 ? State::chunk_data : State::last_chunk_end;
}

}  // namespace molecule::server

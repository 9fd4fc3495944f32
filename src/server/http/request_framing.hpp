#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace molecule::server {

/// Finds where requests end (RFC 9112), and reads nothing leniently: what two readers could
/// understand in two ways (a proxy and this server) is malformed. Knows no sockets and no meaning
/// of the fields besides those that frame the message.
///
/// Malformed are: line ends other than CRLF, more than one empty line before a request, versions
/// other than 1.0 and 1.1, folded lines, blanks before the colon, control characters, a second
/// Host, Content-Length or Transfer-Encoding, both of the latter together, any coding besides
/// `chunked` alone, chunk sizes that are not plain hexadecimal, and trailer fields.
class RequestFraming {
 public:
  enum class Problem { none, malformed, head_too_large };
  enum class Part { start, head, body };

  static constexpr std::size_t max_head_bytes = std::size_t{64} << 10;

  /// Reads at most to the end of the current request and returns how many bytes it read. After a
  /// problem it reads nothing.
  std::size_t take(std::string_view data);
  Problem problem() const { return problem_; }
  /// The current request has come whole. `begin_next` starts the next one.
  bool complete() const { return state_ == State::complete; }
  void begin_next();

  /// `start` until the first byte of a request has come.
  Part part() const;
  /// The client waits for `100 Continue` before it sends the body. True once for each request.
  bool take_expectation();

 private:
  enum class State {
    request_line,
    field_line,
    body,
    chunk_size,
    chunk_data,
    chunk_end,
    last_chunk_end,
    complete
  };

  void take_line_byte(char byte);
  void end_line();
  void read_request_line(std::string_view line);
  void read_field(std::string_view line);
  void end_head();
  void read_chunk_size(std::string_view line);
  std::size_t max_line_bytes() const;
  void fail(Problem problem) { problem_ = problem; }

  State state_ = State::request_line;
  Problem problem_ = Problem::none;
  std::string line_;
  bool skipped_empty_line_ = false;
  std::size_t head_bytes_ = 0;
  bool is_1_0_ = false;
  bool has_host_ = false;
  bool has_length_ = false;
  bool chunked_ = false;
  bool expects_continue_ = false;
  /// Of the body or of the current chunk.
  std::uint64_t left_ = 0;
};

}  // namespace molecule::server

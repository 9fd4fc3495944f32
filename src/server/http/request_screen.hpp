#pragma once

#include <http_parser.h>

#include <array>
#include <asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "server/http/limits/byte_budget.hpp"
#include "server/http/message.hpp"
#include "server/http/request_framing.hpp"

namespace molecule::server {

/// Screens the bytes of one connection before RESTinio sees them: RESTinio drops a connection
/// silently if a request is malformed or too large, and believes any length that a WebSocket frame
/// claims. Requests that its parser would read more leniently than `RequestFraming` never reach it.
/// Knows no sockets.
class RequestScreen {
 public:
  enum class Verdict { pass, malformed, head_too_large, body_too_large, refused, frame_too_large };

  /// What the connection is in the middle of; `idle` between two requests.
  enum class Stage { idle, head, body, stream };

  /// A decision that takes longer: until it is there, nothing more of the connection is read.
  struct Decision {
    /// Set once: the refusal, or that there is none.
    std::optional<std::optional<Reply>> outcome = std::nullopt;
    /// Called when it is.
    std::function<void()> on_decided = {};
  };

  /// What the body of one request may have. What has come of it is counted in `share`, where there
  /// is one, until the request is answered.
  struct Grant {
    std::uint64_t max_bytes = 0;
    std::shared_ptr<ByteBudget::Share> share = nullptr;
    /// The grant holds only if this decides so; null: it holds.
    std::shared_ptr<Decision> pending = nullptr;
  };

  /// `admit` is asked once for each request whose body has more than `unasked_bytes`: with its
  /// client, method, path and Authorization, and the body's size unless it comes in chunks. The
  /// failure is the answer. Must not throw. Smaller bodies are counted in `unasked`, where there is
  /// one; while that is full, `admit` is asked for them too.
  struct Rules {
    std::uint64_t unasked_bytes = 0;
    std::shared_ptr<const ByteBudget> unasked = nullptr;
    std::function<Result<Grant, Reply>(const Request& head, std::optional<std::uint64_t> declared)>
        admit;
  };

  /// `rules` must outlive this; `client` is whom `admit` is asked for (`Request::client`).
  explicit RequestScreen(const Rules& rules,
                         std::optional<asio::ip::address> client = std::nullopt);
  RequestScreen(const RequestScreen&) = delete;
  RequestScreen& operator=(const RequestScreen&) = delete;

  /// How many bytes of `data`, the next ones read, may be passed on: all, unless the verdict
  /// changed. The reader never sees the end of an offending head or frame.
  std::size_t take(std::string_view data);
  /// What the bytes that were just taken wait for; null: nothing.
  const std::shared_ptr<Decision>& pending() const { return pending_; }
  /// Ends that wait once it is decided. Returns how many of the bytes taken last, of which `passed`
  /// were to be passed on, may be.
  std::size_t settle(std::size_t passed);
  Verdict verdict() const { return verdict_; }
  /// The limit on the current request's body.
  std::uint64_t max_body_bytes() const { return max_body_bytes_; }
  /// What the client is told; nothing while all passes, and in the middle of WebSocket frames.
  std::optional<Reply> answer() const;
  Stage stage() const;
  /// The client waits for `100 Continue`. True once for each request.
  bool take_expectation() { return !frames_ && framing_.take_expectation(); }
  /// The last request is of HTTP/1.0, which knows no chunked answers.
  bool is_http_1_0() const { return http_1_0_; }
  /// The previous request is answered, and its body forgotten.
  void release_body() { answered_.reset(); }

 private:
  static int on_url(http_parser* parser, const char* data, std::size_t size);
  static int on_field(http_parser* parser, const char* data, std::size_t size);
  static int on_value(http_parser* parser, const char* data, std::size_t size);
  static int on_headers_complete(http_parser* parser);
  static int on_chunk_header(http_parser* parser);
  static int on_body(http_parser* parser, const char* data, std::size_t size);
  static int on_message_complete(http_parser* parser);

  void begin_message();
  int refuse(Verdict verdict);
  /// 0, or a refusal, for a body that has that many bytes at least.
  int expect(std::uint64_t bytes, std::optional<std::uint64_t> declared);
  int admit(std::optional<std::uint64_t> declared);
  /// The same for what has come.
  int count_body(std::size_t size);
  std::size_t take_requests(std::string_view data);
  std::size_t take_frames(std::string_view data);

  const Rules& rules_;
  std::optional<asio::ip::address> client_;
  std::uint64_t max_body_bytes_ = 0;
  std::string url_;
  std::string field_;
  bool field_ended_ = true;
  /// The fields that say who sends it.
  std::map<std::string, std::string> credentials_;
  bool asked_ = false;
  std::shared_ptr<ByteBudget::Share> share_;
  std::shared_ptr<ByteBudget::Share> answered_;
  std::shared_ptr<Decision> pending_;
  /// Of the bytes taken last: where the request begins that waits for a decision.
  std::size_t pending_from_ = 0;
  std::size_t message_from_ = 0;
  Reply refusal_;
  Verdict verdict_ = Verdict::pass;
  RequestFraming framing_;
  http_parser parser_{};
  std::uint64_t body_bytes_ = 0;
  std::uint64_t chunks_ = 0;
  bool complete_ = false;
  bool http_1_0_ = false;
  /// After a request to upgrade the bytes are WebSocket frames (RFC 6455 5.2).
  bool frames_ = false;
  std::array<unsigned char, 14> frame_head_{};
  std::size_t frame_head_size_ = 0;
  std::uint64_t frame_left_ = 0;
};

/// The bytes that end a connection whose screen has refused it: an answer with that date, or a
/// WebSocket's last frame; empty for no word.
std::string refused_answer(const RequestScreen& screen, std::string date);

}  // namespace molecule::server

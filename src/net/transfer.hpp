#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "base/async/event.hpp"
#include "net/curl_api.hpp"
#include "net/http_client.hpp"

namespace molecule::net {

class UploadFile;

/// One exchange: the libcurl handle with everything it points to. It lives in the frame of the
/// coroutine that waits for it, so that ending the coroutine ends the exchange. Remove it from the
/// multi handle before destroying it.
class Transfer {
 public:
  /// Whether a 2xx body is kept whole for `take`, or handed out by `take_piece` as it arrives.
  enum class Body { whole, in_pieces };

  Transfer(const CurlApi& curl, Clock& clock, HttpRequest request, Body body = Body::whole);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer();

  /// Sets up the handle; an error is the exchange's outcome.
  Result<void, HttpError> prepare();
  CURL* handle() const { return easy_; }
  /// The transfer of a handle; null for libcurl's own handles.
  static Transfer* of(const CurlApi& curl, CURL* easy);

  /// Called when libcurl is done with it; wakes the waiter.
  void finish(CURLcode code);
  /// Ends it with an error of our own.
  void fail(HttpErrc code, std::string_view why);
  bool finished() const { return finished_; }
  awaitable<void> wait() { return changed_.wait(); }
  /// Of a body in pieces: also wakes for the head and for each piece. False if `deadline` passed
  /// first.
  awaitable<bool> wait_until(Clock::time_point deadline) { return changed_.wait_until(deadline); }
  /// True once the response's head is complete.
  bool has_head() const { return has_head_; }
  /// Status and headers so far.
  const HttpResponse& head() const { return response_; }
  /// The head, once it is complete; frees what only the request needed.
  HttpResponse take_head();
  /// What arrived since the last call; may be empty. A reader that falls behind stops the transfer,
  /// so that little memory is held.
  std::string take_piece();
  Result<HttpResponse, HttpError> take();

 private:
  template <class T>
  void set(CURLoption option, T value);
  Result<void, HttpError> check_url();
  bool set_headers();
  void set_method();
  void set_authorities();
  Result<void, HttpError> set_files();
  HttpError error(HttpErrc code, std::string_view why) const;
  HttpError error_of(CURLcode code) const;

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static int on_begin(void* self, char*, char*, int, int);
  bool room_for(std::size_t more);
  bool succeeds() const;
  bool keep(std::string_view data);
  std::size_t hold_piece(std::string_view data);
  void end_head();

  const CurlApi& curl_;
  HttpRequest request_;
  Body body_;
  CURL* easy_;
  curl_slist* header_list_ = nullptr;
  curl_mime* mime_ = nullptr;
  std::vector<std::unique_ptr<UploadFile>> files_;
  std::array<char, CURL_ERROR_SIZE> reason_{};
  std::string where_;  ///< scheme, host and port, for messages
  std::string proxy_;  ///< as configured; empty if none
  bool encrypted_ = false;
  bool unsupported_ = false;  ///< libcurl does not know an option
  bool begun_ = false;        ///< the request's first byte may have left
  bool repeated_ = false;     ///< libcurl was about to send it a second time
  bool too_large_ = false;
  std::size_t header_bytes_ = 0;
  std::size_t body_bytes_ = 0;
  int sink_error_ = 0;  ///< errno
  std::size_t unsynced_ = 0;
  bool finished_ = false;
  bool has_head_ = false;
  bool paused_ = false;
  std::string piece_;
  std::optional<HttpError> failure_;
  HttpResponse response_;
  Event changed_;
};

}  // namespace molecule::net

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/async/asio.hpp"
#include "base/async/clock.hpp"
#include "base/files/open.hpp"
#include "base/result.hpp"

namespace molecule::net {

struct Header {
  std::string name;
  std::string value;
};

/// A file sent as one part of a multipart/form-data body, streamed from disk. Only regular files on
/// storage are accepted.
struct FormFile {
  std::string field;
  std::filesystem::path path;
  std::string filename;
  std::string mime_type;
  /// The file that the caller checked. Sending fails if the path names another file, or if its size
  /// differs at the start or the end.
  std::optional<files::Identity> identity = std::nullopt;
  std::optional<std::int64_t> size = std::nullopt;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<Header> headers;
  std::string body;
  /// If not empty, the body is multipart/form-data with these files, and `body` is ignored.
  std::vector<FormFile> files;
  /// Name lookup, connect and TLS.
  std::chrono::milliseconds connect_timeout{10'000};
  /// The whole exchange.
  std::chrono::milliseconds total_timeout{30'000};
  /// A longer response body ends the exchange with `HttpErrc::too_large`.
  std::size_t max_response_bytes = std::size_t{16} << 20;
  /// If set to an open file, the body of a 2xx response is written there instead of being kept. The
  /// caller still owns the file. It is synced every few MiB, so that a final sync is short.
  int sink = -1;
  /// The limit for bytes written there, if it differs from `max_response_bytes`.
  std::optional<std::size_t> max_sink_bytes = std::nullopt;
};

struct HttpResponse {
  int status = 0;
  std::vector<Header> headers;
  std::string body;
  /// The proxy it came through, for messages; empty if none.
  std::string proxy = {};

  /// The first field of that name, regardless of case.
  std::optional<std::string_view> header(std::string_view name) const;
};

enum class HttpErrc {
  bad_url,  ///< not http(s), or not a URL
  cannot_resolve,
  cannot_connect,
  tls,  ///< handshake or certificate
  connect_timeout,
  timeout,          ///< connected, but no complete answer in `total_timeout`
  connection_lost,  ///< reset or closed before the answer was complete
  too_large,
  unreadable_file,  ///< a `FormFile` cannot be read
  unwritable_file,  ///< the `sink` cannot be written
  other
};

struct HttpError {
  HttpErrc code = HttpErrc::other;
  /// One line for people: what failed and where (scheme, host and port; never a header or a body).
  std::string message;
  /// True if the server may have received the whole request, so that it cannot simply be repeated.
  bool may_have_arrived = false;
  /// The status of a response that was `too_large`, which may be somebody else's page.
  std::string content_type = {};
};

class HttpStream;

/// The program's HTTP client, on libcurl's multi-socket interface and the Asio loop. Keeps and
/// reuses connections (HTTP/2 if offered); respects the environment's proxies (`https_proxy`,
/// `no_proxy`, …; see proxy.hpp) and CA settings (`SSL_CERT_FILE`, `SSL_CERT_DIR`,
/// `CURL_CA_BUNDLE`); never follows redirects, so that a token never goes to another host. Name
/// lookups run in libcurl's own resolver thread.
///
/// The first `send` loads and initialises libcurl, not the constructor: that costs more than
/// everything else between the start and the answer to `initialize`.
class HttpClient {
 public:
  explicit HttpClient(const asio::any_io_executor& executor);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  /// All transfers must have ended.
  ~HttpClient();

  /// Performs one exchange. Any status, 3xx and 5xx included, is a response, not an error.
  /// Cancelling the task closes the transfer at once, in whatever state, and throws
  /// `asio::error::operation_aborted`.
  awaitable<Result<HttpResponse, HttpError>> send(HttpRequest request);

 private:
  friend class HttpStream;
  class Engine;
  std::shared_ptr<Engine> engine_;
  /// For streams that each have a connection of their own: libcurl looks for one to use again among
  /// all connections to a host.
  std::shared_ptr<Engine> streams_;
};

}  // namespace molecule::net

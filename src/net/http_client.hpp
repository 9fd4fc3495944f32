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

/// A file sent as one part of a multipart/form-data body, streamed from disk. Regular files of a
/// storage only.
struct FormFile {
  std::string field;
  std::filesystem::path path;
  std::string filename;
  std::string mime_type;
  /// What the caller looked at: another file, or another size at the start or the end of sending,
  /// ends the exchange.
  std::optional<files::Identity> identity = std::nullopt;
  std::optional<std::int64_t> size = std::nullopt;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<Header> headers;
  std::string body;
  /// When not empty the body is multipart/form-data of these files and `body` is ignored.
  std::vector<FormFile> files;
  /// Name lookup, connect and TLS.
  std::chrono::milliseconds connect_timeout{10'000};
  /// The whole exchange.
  std::chrono::milliseconds total_timeout{30'000};
  /// A longer response body ends the exchange with `HttpErrc::too_large`.
  std::size_t max_response_bytes = std::size_t{16} << 20;
  /// Where it is an open file, the body of a 2xx response is written there instead of being kept;
  /// it stays the caller's. It is synced every few MiB, so that a sync at the end is short too.
  int sink = -1;
  /// The limit of what goes there, where it is another than that of what is kept.
  std::optional<std::size_t> max_sink_bytes = std::nullopt;
};

struct HttpResponse {
  int status = 0;
  std::vector<Header> headers;
  std::string body;
  /// Through which proxy it came, for messages; empty: through none.
  std::string proxy = {};

  /// The first field of that name, case ignored.
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
  /// Whether the server may have received the whole request: a send that cannot be repeated
  /// blindly.
  bool may_have_arrived = false;
  /// Of an answer that was `too_large`, which may be somebody else's page.
  std::string content_type = {};
};

/// One HTTP client for the program, on libcurl's multi-socket interface and the Asio loop.
/// Connections are kept and reused (HTTP/2 where offered); proxies (`https_proxy`, `no_proxy`, …;
/// never for this machine itself) and CA settings (`SSL_CERT_FILE`, `SSL_CERT_DIR`,
/// `CURL_CA_BUNDLE`) of the environment hold; redirects are never followed, so that a token never
/// goes to another host. Name lookups run in libcurl's own resolver thread.
///
/// libcurl is loaded and initialised by the first `send`, not by the constructor: it costs more
/// than everything else between the start and the answer to `initialize`.
class HttpClient {
 public:
  explicit HttpClient(asio::any_io_executor executor);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  /// All transfers must have ended.
  ~HttpClient();

  /// Performs one exchange; any status, 3xx and 5xx included, is a response, not an error.
  /// Cancelling the task closes the transfer at once, wherever it stands, and throws
  /// `asio::error::operation_aborted`.
  awaitable<Result<HttpResponse, HttpError>> send(HttpRequest request);

 private:
  class Engine;
  std::shared_ptr<Engine> engine_;
};

}  // namespace molecule::net

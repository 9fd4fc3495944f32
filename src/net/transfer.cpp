#include "net/transfer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "base/files/open.hpp"
#include "base/text/text.hpp"
#include "net/authorities.hpp"
#include "net/curl_errors.hpp"
#include "net/proxy.hpp"
#include "net/upload_file.hpp"

namespace molecule::net {

namespace {

/// All header fields of one response; libcurl limits only single fields (100 KB).
constexpr std::size_t largest_header = std::size_t{256} << 10;
/// A slow disk writes this much without blocking the loop noticeably.
constexpr std::size_t sync_bytes = std::size_t{4} << 20;
/// A reader that falls this far behind a body in pieces stops the transfer.
constexpr std::size_t max_held = std::size_t{64} << 10;
/// Instead of 16 KiB, which every open stream would hold.
constexpr long stream_buffer = 1024;

int on_seek(void* source, curl_off_t offset, int origin) {
  return UploadFile::on_seek(source, offset, origin);
}

bool is_token(std::string_view text) {
  const auto accepts = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), accepts);
}

bool is_field_value(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

/// libcurl reads 0 as "no limit".
long limit(std::chrono::milliseconds time) {
  return static_cast<long>(std::max<std::chrono::milliseconds::rep>(time.count(), 1));
}

}  // namespace

Transfer::Transfer(const CurlApi& curl, Clock& clock, HttpRequest request, Body body)
    : curl_(curl),
      request_(std::move(request)),
      body_(body),
      easy_(curl.easy_init()),
      changed_(clock) {}

Transfer::~Transfer() {
  curl_.easy_cleanup(easy_);
  curl_.mime_free(mime_);
  curl_.slist_free_all(header_list_);
}

Transfer* Transfer::of(const CurlApi& curl, CURL* easy) {
  char* self = nullptr;
  if (curl.easy_getinfo(easy, CURLINFO_PRIVATE, &self) != CURLE_OK) return nullptr;
  return reinterpret_cast<Transfer*>(self);
}

template <class T>
void Transfer::set(CURLoption option, T value) {
  if (curl_.easy_setopt(easy_, option, value) != CURLE_OK) unsupported_ = true;
}

Result<void, HttpError> Transfer::prepare() {
  if (easy_ == nullptr) return Failure{error(HttpErrc::other, "out of memory")};
  if (Result<void, HttpError> url = check_url(); !url) return url;
  if (!is_token(request_.method) || !set_headers()) {
    return Failure{error(HttpErrc::other, "the method or a header field is malformed")};
  }
  set(CURLOPT_PRIVATE, static_cast<void*>(this));
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_ERRORBUFFER, reason_.data());
  set(CURLOPT_NOSIGNAL, 1L);
  // Otherwise ending a transfer would wait for its name lookup.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_USERAGENT, "molecule/" MOLECULE_VERSION);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, limit(request_.connect_timeout));
  if (body_ == Body::whole) {
    set(CURLOPT_TIMEOUT_MS, limit(request_.total_timeout));
  } else {
    set(CURLOPT_BUFFERSIZE, stream_buffer);
  }
  // HTTP/2 is negotiated by ALPN only; a minimal libcurl lacks it. Requests wait for a connection
  // that may turn out to be shareable. Over plain HTTP they would wait for the first response,
  // which may take minutes.
  const bool h2 = encrypted_ && curl_.easy_setopt(easy_, CURLOPT_HTTP_VERSION,
                                                  long{CURL_HTTP_VERSION_2TLS}) == CURLE_OK;
  if (!h2) set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(CURLOPT_PIPEWAIT, h2 ? 1L : 0L);
  set(CURLOPT_PREREQFUNCTION, &Transfer::on_begin);
  set(CURLOPT_PREREQDATA, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  // Chosen here so that messages can name it; empty means none, whatever the environment says.
  set(CURLOPT_PROXY, proxy_.c_str());
  set(CURLOPT_NOPROXY, "");
  if (encrypted_ || proxy_.starts_with("https:")) set_authorities();
  if (!request_.files.empty()) {
    if (Result<void, HttpError> files = set_files(); !files) return files;
  }
  set_method();
  if (unsupported_) return Failure{error(HttpErrc::other, "libcurl is too old (7.87 is needed)")};
  return {};
}

Result<void, HttpError> Transfer::check_url() {
  CURLU* url = curl_.url();
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    if (curl_.url_get(url, which, &text, 0) != CURLUE_OK) return std::string();
    std::string copy(text);
    curl_.free(text);
    return copy;
  };
  const bool parsed = url != nullptr && request_.url.find('\0') == std::string::npos &&
                      curl_.url_set(url, CURLUPART_URL, request_.url.c_str(), 0) == CURLUE_OK;
  const std::string scheme = parsed ? part(CURLUPART_SCHEME) : "";
  const std::string host = parsed ? part(CURLUPART_HOST) : "";
  const std::string port = parsed ? part(CURLUPART_PORT) : "";
  where_ = fmt::format("{}://{}{}{}", scheme, host, port.empty() ? "" : ":", port);
  curl_.url_cleanup(url);
  encrypted_ = scheme == "https";
  proxy_ = proxy_for(scheme, host);
  if (encrypted_ || scheme == "http") return {};
  where_.clear();
  proxy_.clear();
  return Failure{error(HttpErrc::bad_url, "")};
}

bool Transfer::set_headers() {
  const auto append = [&](const std::string& line) {
    curl_slist* longer = curl_.slist_append(header_list_, line.c_str());
    if (longer != nullptr) header_list_ = longer;
    return longer != nullptr;
  };
  bool typed = !request_.files.empty();
  for (const Header& field : request_.headers) {
    if (!is_token(field.name) || !is_field_value(field.value)) return false;
    typed = typed || text::equal_ignoring_case(field.name, "Content-Type");
    // "Name:" would remove the field, "Name;" sends it without a value.
    const bool empty = text::trim(field.value).empty();
    if (!append(empty ? field.name + ';' : field.name + ": " + field.value)) return false;
  }
  // libcurl would wait a second for "100 Continue", and call any body a web form.
  if (!append("Expect:") || (!typed && !append("Content-Type:"))) return false;
  set(CURLOPT_HTTPHEADER, header_list_);
  return true;
}

void Transfer::set_method() {
  const std::string& method = request_.method;
  if (mime_ != nullptr) {
    set(CURLOPT_MIMEPOST, mime_);
  } else if (!request_.body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
    set(CURLOPT_POSTFIELDS, request_.body.c_str());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  } else if (method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
    return;
  }
  set(CURLOPT_CUSTOMREQUEST, method.c_str());
}

void Transfer::set_authorities() {
  const Authorities chosen = authorities();
  if (chosen.standard) return;
  const auto given = [](const std::string& text) { return text.empty() ? nullptr : text.c_str(); };
  set(CURLOPT_CAINFO, given(chosen.file));
  set(CURLOPT_CAPATH, given(chosen.folder));
  set(CURLOPT_PROXY_CAINFO, given(chosen.file));
  set(CURLOPT_PROXY_CAPATH, given(chosen.folder));
}

Result<void, HttpError> Transfer::set_files() {
  mime_ = curl_.mime_init(easy_);
  for (const FormFile& file : request_.files) {
    UploadFile& source = *files_.emplace_back(std::make_unique<UploadFile>(file));
    if (!source.problem().empty()) {
      return Failure{HttpError{HttpErrc::unreadable_file, source.problem(), false}};
    }
    curl_mimepart* part = curl_.mime_addpart(mime_);
    const bool taken = part != nullptr && curl_.mime_name(part, file.field.c_str()) == CURLE_OK &&
                       curl_.mime_filename(part, file.filename.c_str()) == CURLE_OK &&
                       curl_.mime_type(part, file.mime_type.c_str()) == CURLE_OK &&
                       curl_.mime_data_cb(part, source.size(), &UploadFile::on_read, on_seek,
                                          nullptr, &source) == CURLE_OK;
    if (!taken) return Failure{error(HttpErrc::other, "out of memory")};
  }
  return {};
}

void Transfer::finish(CURLcode code) {
  if (finished_) return;
  if (code == CURLE_OK) {
    long status = 0;
    curl_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
  } else {
    failure_ = error_of(code);
  }
  finished_ = true;
  changed_.notify_all();
}

void Transfer::fail(HttpErrc code, std::string_view why) {
  if (finished_) return;
  failure_ = error(code, why);
  finished_ = true;
  changed_.notify_all();
}

HttpResponse Transfer::take_head() {
  HttpResponse head = std::exchange(response_, {});
  response_.status = head.status;
  // libcurl has sent it: a stream may stay open for days.
  request_.headers = {};
  return head;
}

Result<HttpResponse, HttpError> Transfer::take() {
  if (failure_) return Failure{std::move(*failure_)};
  if (!proxy_.empty()) response_.proxy = proxy_name(proxy_);
  return std::move(response_);
}

HttpError Transfer::error(HttpErrc code, std::string_view why) const {
  const std::string where =
      proxy_.empty() ? where_ : fmt::format("{} through the proxy {}", where_, proxy_name(proxy_));
  return {code, describe(code, where, text::one_line(why)), begun_};
}

HttpError Transfer::error_of(CURLcode code) const {
  for (const auto& file : files_) {
    if (!file->problem().empty()) return {HttpErrc::unreadable_file, file->problem(), begun_};
  }
  if (too_large_) {
    HttpError cut = error(HttpErrc::too_large, "");
    cut.content_type = response_.header("Content-Type").value_or("");
    return cut;
  }
  if (sink_error_ != 0) return error(HttpErrc::unwritable_file, std::strerror(sink_error_));
  if (repeated_) {
    return error(HttpErrc::connection_lost, "a kept connection ended before the answer");
  }
  const HttpErrc kind = classify(code, begun_);
  const auto seconds = [](std::chrono::milliseconds time) {
    return fmt::format("after {:g} s", static_cast<double>(time.count()) / 1000);
  };
  if (kind == HttpErrc::timeout) return error(kind, seconds(request_.total_timeout));
  if (kind == HttpErrc::connect_timeout) {
    return error(kind, seconds(std::min(request_.connect_timeout, request_.total_timeout)));
  }
  return error(kind, reason_.front() != '\0' ? reason_.data() : curl_.easy_strerror(code));
}

int Transfer::on_begin(void* self, char*, char*, int, int) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::string& method = transfer.request_.method;
  const bool repeatable = method == "GET" || method == "HEAD";
  // If a kept connection ends before any response, libcurl repeats the request on a new one, though
  // the server may have acted on the first. Only the caller knows whether that is safe.
  transfer.repeated_ = transfer.begun_ && !repeatable;
  transfer.begun_ = true;
  return transfer.repeated_ ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

bool Transfer::room_for(std::size_t more) {
  body_bytes_ += more;
  const bool to_sink = request_.max_sink_bytes && request_.sink >= 0 && succeeds();
  const std::size_t max_bytes = to_sink ? *request_.max_sink_bytes : request_.max_response_bytes;
  too_large_ = too_large_ || body_bytes_ > max_bytes;
  return !too_large_;
}

bool Transfer::succeeds() const {
  long status = 0;
  curl_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  return status >= 200 && status < 300;
}

std::string Transfer::take_piece() {
  std::string piece = std::exchange(piece_, {});
  if (std::exchange(paused_, false)) curl_.easy_pause(easy_, CURLPAUSE_CONT);
  return piece;
}

/// While the transfer is stopped libcurl keeps what is refused here.
std::size_t Transfer::hold_piece(std::string_view data) {
  if (piece_.size() + data.size() > max_held && !piece_.empty()) {
    paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  piece_.append(data);
  changed_.notify_all();
  return data.size();
}

bool Transfer::keep(std::string_view data) {
  if (request_.sink < 0 || !succeeds()) {
    response_.body.append(data);
    return true;
  }
  while (!data.empty()) {
    const ssize_t written = ::write(request_.sink, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      sink_error_ = errno;
      return false;
    }
    data.remove_prefix(static_cast<std::size_t>(written));
    unsynced_ += static_cast<std::size_t>(written);
  }
  if (unsynced_ < sync_bytes) return true;
  unsynced_ = 0;
  // EINVAL: it cannot be synced, like a pipe.
  if (!files::sync(request_.sink) && errno != EINVAL) sink_error_ = errno;
  return sink_error_ == 0;
}

/// Trailers end with an empty line too, and interim responses (1xx).
void Transfer::end_head() {
  long status = 0;
  curl_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  if (status < 200 || has_head_) return;
  response_.status = static_cast<int>(status);
  has_head_ = true;
  if (body_ == Body::in_pieces) changed_.notify_all();
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::string_view line(data, size * count);
  transfer.header_bytes_ += line.size();
  transfer.too_large_ = transfer.too_large_ || transfer.header_bytes_ > largest_header;
  if (transfer.too_large_) return 0;
  const std::size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) {
    // Interim responses (1xx) have fields too.
    transfer.response_.headers.clear();
    transfer.has_head_ = false;
  } else if (text::trim(line).empty()) {
    transfer.end_head();
  } else if (colon != std::string_view::npos) {
    transfer.response_.headers.push_back({std::string(text::trim(line.substr(0, colon))),
                                          std::string(text::trim(line.substr(colon + 1)))});
  }
  return line.size();
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::size_t length = size * count;
  if (transfer.body_ == Body::in_pieces && transfer.succeeds()) {
    return transfer.hold_piece({data, length});
  }
  if (!transfer.room_for(length) || !transfer.keep({data, length})) return 0;
  return length;
}

}  // namespace molecule::net

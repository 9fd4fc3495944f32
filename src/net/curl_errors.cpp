#include "net/curl_errors.hpp"

#include <fmt/format.h>

namespace molecule::net {

namespace {

std::string_view meaning(HttpErrc code) {
  switch (code) {
    case HttpErrc::bad_url:
      return "not an http:// or https:// URL";
    case HttpErrc::cannot_resolve:
      return "cannot find the host of";
    case HttpErrc::cannot_connect:
      return "cannot connect to";
    case HttpErrc::tls:
      return "no secure connection to";
    case HttpErrc::connect_timeout:
      return "no connection to";
    case HttpErrc::timeout:
      return "no complete answer from";
    case HttpErrc::connection_lost:
      return "lost the connection to";
    case HttpErrc::too_large:
      return "too large an answer from";
    case HttpErrc::unreadable_file:
      return "cannot read a file for";
    case HttpErrc::unwritable_file:
      return "cannot write the file from";
    case HttpErrc::other:
      break;
  }
  return "request failed:";
}

}  // namespace

HttpErrc classify(CURLcode code, bool begun) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
      return HttpErrc::bad_url;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return HttpErrc::cannot_resolve;
    case CURLE_COULDNT_CONNECT:
      return HttpErrc::cannot_connect;
    case CURLE_OPERATION_TIMEDOUT:
      return begun ? HttpErrc::timeout : HttpErrc::connect_timeout;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_PEER_FAILED_VERIFICATION:
      return HttpErrc::tls;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return HttpErrc::connection_lost;
    // Before the request was sent, these come from a proxy that refuses us.
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return begun ? HttpErrc::connection_lost : HttpErrc::cannot_connect;
    default:
      return HttpErrc::other;
  }
}

std::string describe(HttpErrc code, std::string_view where, std::string_view reason) {
  std::string text(meaning(code));
  if (!where.empty()) text += fmt::format(" {}", where);
  if (!reason.empty()) text += fmt::format(" ({})", reason);
  return text;
}

}  // namespace molecule::net

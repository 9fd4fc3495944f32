#pragma once

#include <asio/ip/address.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/access/caller.hpp"

namespace molecule::server {

/// One HTTP request, as the handlers see it: no handler knows the HTTP library.
struct Request {
  std::string method;
  /// A HEAD, which handlers see as a GET.
  bool head = false;
  /// Without the query, as it was sent; `args` are decoded.
  std::string path;
  std::map<std::string, std::string> query;
  std::vector<std::pair<std::string, std::string>> headers;
  /// A view; the bytes outlive the request.
  std::string_view body;
  /// The variable segments of the route's path, in order (`:id`, …), percent-decoded; UUIDs in
  /// lower case.
  std::vector<std::string> args;
  /// The sender, as established by the router; nobody if the route requires no credential.
  Caller caller = {};
  /// Where it comes from (`client_network`); nothing if nobody counts.
  std::optional<asio::ip::address> client = std::nullopt;
  /// When the whole request was there; the epoch if nobody measures.
  std::chrono::steady_clock::time_point arrived = {};

  /// The first field of that name, case ignored.
  std::optional<std::string_view> header(std::string_view name) const;
  /// platform-api.md 0: exactly `Bearer `, the rest trimmed; anything else counts as no token.
  std::optional<std::string_view> bearer() const;
  /// Whom to count it for before anybody knows who it is: the token or the cookies, or "".
  std::string_view credential() const;
  std::optional<std::string_view> parameter(std::string_view name) const;
};

/// What a browser may load and run if it shows a reply as a page (platform-api.md 0.7).
enum class ContentPolicy {
  api,  ///< nothing: API replies are not pages
  page  ///< its own scripts and styles
};

/// Whose events a client wants to hear, and who it is.
struct Following {
  std::string workspace_id;
  Caller caller;
};

struct Reply {
  int status = 200;
  std::string body;
  /// The path of a file to send instead of `body`, unless empty. The file must exist.
  std::string file = {};
  std::string content_type = "application/json; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;
  ContentPolicy policy = ContentPolicy::api;
  /// The request's credential is a wrong one, whatever the status says.
  bool wrong_credential = false;
  /// If set, these events follow instead of a body, for as long as the client stays.
  std::optional<Following> following = std::nullopt;
};

/// `body` is JSON text.
Reply json_reply(int status, std::string body);
/// Plain text.
Reply text_reply(int status, std::string body);
/// `{"error": text}`
Reply error_reply(int status, std::string_view text);

}  // namespace molecule::server

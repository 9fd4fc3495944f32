#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "platform/classify.hpp"

using namespace molecule;
using platform::Errc;

namespace {

const platform::Site site{
    .call = "GET /workspaces/x", .origin = "http://p.example", .secret = "tok-0123456789abcdef"};

Result<net::HttpResponse, net::HttpError> answer(int status, std::string body,
                                                 std::string type = "application/json") {
  net::HttpResponse response;
  response.status = status;
  response.headers.push_back({"Content-Type", std::move(type)});
  response.body = std::move(body);
  return response;
}

platform::Error error_of(Result<net::HttpResponse, net::HttpError> exchange) {
  auto outcome = platform::classify(site, std::move(exchange));
  REQUIRE_FALSE(outcome.ok());
  return outcome.error();
}

const std::string html = "<!DOCTYPE html><html><body>Sign in</body></html>";

}  // namespace

TEST_CASE("every status has one meaning, whatever the body") {
  struct Row {
    int status;
    Errc with_json;
    Errc with_html;
    Errc with_text;
    Errc with_nothing;
  };
  const Errc page = Errc::not_the_platform;
  const std::vector<Row> rows{
      {301, Errc::rejected, Errc::rejected, Errc::rejected, Errc::rejected},
      {307, Errc::rejected, Errc::rejected, Errc::rejected, Errc::rejected},
      {400, Errc::rejected, page, Errc::rejected, Errc::rejected},
      {401, Errc::unauthorized, page, Errc::unauthorized, Errc::unauthorized},
      {402, Errc::payment_required, page, Errc::payment_required, Errc::payment_required},
      {403, Errc::forbidden, page, page, page},
      {404, Errc::not_found, page, Errc::not_found, Errc::not_found},
      {409, Errc::conflict, page, Errc::conflict, Errc::conflict},
      {410, Errc::gone, page, Errc::gone, Errc::gone},
      {413, Errc::too_large, Errc::too_large, Errc::too_large, Errc::too_large},
      {422, Errc::rejected, page, Errc::rejected, Errc::rejected},
      {429, Errc::rate_limited, Errc::rate_limited, Errc::rate_limited, Errc::rate_limited},
      {500, Errc::server_error, Errc::server_error, Errc::server_error, Errc::server_error},
      {502, Errc::server_error, Errc::server_error, Errc::server_error, Errc::server_error},
      {503, Errc::server_error, Errc::server_error, Errc::server_error, Errc::server_error},
      {599, Errc::server_error, Errc::server_error, Errc::server_error, Errc::server_error},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    const platform::Error json = error_of(answer(row.status, R"({"error":"because"})"));
    CHECK(json.code == row.with_json);
    CHECK(json.status == row.status);
    CHECK(json.message == "GET /workspaces/x at http://p.example answered " +
                              std::to_string(row.status) + ": because");
    CHECK(error_of(answer(row.status, html, "text/html; charset=utf-8")).code == row.with_html);
    CHECK(error_of(answer(row.status, html, "")).code == row.with_html);
    CHECK(error_of(answer(row.status, "so not", "text/plain")).code == row.with_text);
    CHECK(error_of(answer(row.status, "", "")).code == row.with_nothing);
    CHECK(error_of(answer(row.status, R"({"error":)")).code == row.with_nothing);
  }
}

TEST_CASE("a success has a JSON body or an empty one") {
  for (const int status : {200, 201, 202}) {
    auto outcome = platform::classify(site, answer(status, R"({"a":[1]})", "text/plain"));
    REQUIRE(outcome.ok());
    CHECK(outcome->root()["a"].is_array());
    CHECK(error_of(answer(status, html, "text/html")).code == Errc::not_the_platform);
    CHECK(error_of(answer(status, html)).code == Errc::not_the_platform);
    CHECK(error_of(answer(status, "hello", "text/plain")).code == Errc::not_the_platform);
    CHECK(error_of(answer(status, R"({"cut":)")).code == Errc::malformed);
    CHECK(error_of(answer(status, "[1,2", "text/plain")).code == Errc::malformed);
    CHECK(error_of(answer(status, "nonsense", "application/json")).code == Errc::malformed);
    CHECK(error_of(answer(status, std::string(5000, '['))).code == Errc::malformed);
  }
  auto nothing = platform::classify(site, answer(204, "", ""));
  REQUIRE(nothing.ok());
  CHECK_FALSE(nothing->root().present());
}

TEST_CASE("the error for an HTML page says what to check") {
  const std::string text = error_of(answer(200, html, "text/html")).message;
  CHECK(text.find("an HTML page") != std::string::npos);
  for (const char* cause : {"URL", "Origin", "organisation"}) {
    CHECK(text.find(cause) != std::string::npos);
  }
  CHECK(text.find("Sign in") == std::string::npos);
}

TEST_CASE("server text is sanitised, cut, and never contains the token") {
  const std::string hostile =
      R"({"error":"bad \u001b[31m tok-0123\u000045678\u202e9abcdef\n)" + std::string(2000, 'x') +
      R"(","hint":"use tok-0123456789abcdef","removed_at":"tok-0123456789abcdef"})";
  const platform::Error error = error_of(answer(403, hostile));
  for (const std::string& text : {error.message, error.hint, error.removed_at}) {
    CHECK(text.find(site.secret) == std::string::npos);
    CHECK(text.find("[REDACTED]") != std::string::npos);
  }
  CHECK(error.message.size() < 420);
  CHECK(error.message.find('\x1b') == std::string::npos);
  CHECK(error.message.find('\n') == std::string::npos);
  // Cutting must not leave half a token either.
  const std::string late = std::string(290, 'x') + " tok-0123456789abcdef";
  CHECK(error_of(answer(403, R"({"error":")" + late + R"("})")).message.find("tok-0") ==
        std::string::npos);
  CHECK(error_of(answer(404, "no tok-0123456789abcdef here", "text/plain"))
            .message.find(site.secret) == std::string::npos);
}

TEST_CASE("the error text is found in every error format") {
  CHECK(error_of(answer(400, R"({"error":{"code":-32600,"message":"odd"}})"))
            .message.ends_with(": odd"));
  CHECK(error_of(answer(400, R"({"message":"plain"})")).message.ends_with(": plain"));
  CHECK(error_of(answer(404, "no such thing", "text/plain")).message.ends_with(": no such thing"));
  CHECK(error_of(answer(400, R"({"error":17})")).message.ends_with(": no reason given"));
  CHECK(error_of(answer(403, "", "")).message.find("Origin") != std::string::npos);
  CHECK(error_of(answer(404, "", "")).message.find("organisation") != std::string::npos);
  auto moved = answer(301, "", "");
  moved->headers.push_back({"Location", "https://p.example/x"});
  CHECK(error_of(std::move(moved)).message.find("https://p.example/x") != std::string::npos);
}

TEST_CASE("fault C10: a 403 about the address is not one about the token") {
  for (const char* code : {"host_not_allowed", "origin_not_allowed"}) {
    const std::string body =
        std::string(R"({"error":"this host name is not served here","code":")") + code + "\"}";
    const platform::Error error = error_of(answer(403, body));
    CHECK(error.code == Errc::not_the_platform);
    CHECK(error.message.find("not served here") != std::string::npos);
  }
  CHECK(error_of(answer(403, R"({"error":"no","code":"other"})")).code == Errc::forbidden);
}

TEST_CASE("fault C10: a 403 that is not the platform's own never speaks of the token") {
  for (const char* body : {"", "Forbidden", R"({"message":"Forbidden"})", "[]", "null"}) {
    const platform::Error error = error_of(answer(403, body, ""));
    CAPTURE(body);
    CHECK(error.code == Errc::not_the_platform);
    CHECK(error.message.find("token") == std::string::npos);
  }
  CHECK(error_of(answer(403, "{}")).code == Errc::forbidden);
}

TEST_CASE("fault F6: a call that the platform does not have says so") {
  const auto error_at = [](const char* call) {
    platform::Site old = site;
    old.call = call;
    auto outcome = platform::classify(old, answer(404, "404 page not found", "text/plain"));
    REQUIRE_FALSE(outcome.ok());
    return outcome.error();
  };
  for (const auto& [call, lacks] : {std::pair("GET /workspaces/x/chat-history", "chat history"),
                                    std::pair("POST /workspaces/x/broadcast", "broadcasts"),
                                    std::pair("GET /uploads/limits", "upload limits"),
                                    std::pair("POST /workspaces/x/requests", "requests")}) {
    CAPTURE(call);
    const platform::Error error = error_at(call);
    CHECK(error.code == Errc::not_found);
    CHECK(error.older_platform);
    CHECK(error.message.find("this platform is older and has no ") != std::string::npos);
    CHECK(error.message.find(lacks) != std::string::npos);
  }
  for (const char* call : {"POST /registry/register", "GET /workspaces/x",
                           "GET /workspaces/x/activity", "POST /workspaces/x/a2a", "GET /health"}) {
    CAPTURE(call);
    const platform::Error error = error_at(call);
    CHECK(error.code == Errc::not_the_platform);
    CHECK_FALSE(error.older_platform);
    CHECK(error.message.find("PLATFORM_URL") != std::string::npos);
  }
}

TEST_CASE("the error for a removed workspace keeps removed_at and hint") {
  const platform::Error error = error_of(answer(
      410,
      R"({"error":"workspace removed","id":"x","removed_at":"2026-05-01T00:00:00Z","hint":"h"})"));
  CHECK(error.removed_at == "2026-05-01T00:00:00Z");
  CHECK(error.hint == "h");
  CHECK(error_of(answer(410, R"({"removed_at":null,"hint":[]})")).removed_at.empty());
}

TEST_CASE("Retry-After is read as seconds, as a date, and from the body") {
  const auto wait = [](std::string value, std::string date = {}, std::string body = "{}") {
    auto response = answer(429, std::move(body));
    if (!value.empty()) response->headers.push_back({"retry-after", std::move(value)});
    if (!date.empty()) response->headers.push_back({"Date", std::move(date)});
    const auto found = error_of(std::move(response)).retry_after;
    return found ? found->count() : -1;
  };
  CHECK(wait("7") == 7);
  CHECK(wait("0") == 0);
  CHECK(wait("-5") == 0);
  CHECK(wait(" 30 ") == 30);
  CHECK(wait("999999999") == 86'400);
  CHECK(wait("99999999999999999999999") == -1);
  CHECK(wait("soon") == -1);
  CHECK(wait("7 apples") == -1);
  CHECK(wait("") == -1);
  CHECK(wait("", "", R"({"retry_after":12})") == 12);
  CHECK(wait("", "", R"({"retry_after":"12"})") == -1);
  CHECK(wait("Sun, 06 Nov 1994 08:50:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT") == 60);
  CHECK(wait("Sun, 06 Nov 1994 08:48:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT") == 0);
  CHECK(wait("Sun, 06 Nov 1994 08:50:37 GMT") == -1);
}

TEST_CASE("failures without a response differ by how far the request got") {
  const auto failed = [](net::HttpErrc code, const std::string& call = "POST /x") {
    platform::Site there = site;
    there.call = call;
    net::HttpError error{.code = code, .message = "it failed", .may_have_arrived = true};
    auto outcome = platform::classify(there, Failure{error});
    return outcome.error();
  };
  for (const auto code :
       {net::HttpErrc::bad_url, net::HttpErrc::cannot_resolve, net::HttpErrc::cannot_connect,
        net::HttpErrc::tls, net::HttpErrc::connect_timeout, net::HttpErrc::other}) {
    CHECK(failed(code).code == Errc::unreachable);
  }
  CHECK(failed(net::HttpErrc::timeout).code == Errc::timeout);
  CHECK(failed(net::HttpErrc::connection_lost).code == Errc::connection_lost);
  CHECK(failed(net::HttpErrc::too_large).code == Errc::too_large);
  CHECK(failed(net::HttpErrc::unreadable_file).code == Errc::rejected);
  CHECK(failed(net::HttpErrc::timeout).status == 0);
  CHECK(failed(net::HttpErrc::timeout).message == "POST /x: it failed");
  CHECK(failed(net::HttpErrc::timeout).may_have_arrived);
  CHECK_FALSE(failed(net::HttpErrc::timeout, "GET /x").may_have_arrived);
}

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "server/http/request_screen.hpp"

using molecule::server::ByteBudget;
using molecule::server::Reply;
using molecule::server::Request;
using molecule::server::RequestScreen;
using Verdict = RequestScreen::Verdict;

namespace {

constexpr std::uint64_t max_body = 100;
constexpr std::uint64_t max_upload = 1000;

/// Admits larger bodies for uploads with a token, and counts the requested and the held grants.
struct Admission {
  RequestScreen::Rules rules{
      .unasked_bytes = max_body,
      .admit = [this](const Request& head, std::optional<std::uint64_t> declared)
          -> molecule::Result<RequestScreen::Grant, Reply> {
        ++asked;
        last_declared = declared;
        if (head.method != "POST" || head.path != "/a/chat/uploads") {
          return molecule::Failure{molecule::server::error_reply(413, "no")};
        }
        if (head.bearer() != "t") {
          return molecule::Failure{molecule::server::error_reply(401, "no")};
        }
        return RequestScreen::Grant{.max_bytes = max_upload, .share = budget.share("t")};
      }};
  ByteBudget budget{{.one = max_upload, .all = max_upload}};
  int asked = 0;
  std::optional<std::uint64_t> last_declared;
};

struct Seen {
  std::string passed;
  Verdict verdict = Verdict::pass;
  int status = 0;
};

/// Feeds `bytes` in pieces; nothing is read after a refusal.
Seen feed(const std::string& bytes, std::size_t piece) {
  const Admission admission;
  RequestScreen screen(admission.rules);
  Seen seen;
  for (std::size_t at = 0; at < bytes.size() && screen.verdict() == Verdict::pass; at += piece) {
    const std::string part = bytes.substr(at, piece);
    seen.passed += part.substr(0, screen.take(part));
  }
  seen.verdict = screen.verdict();
  if (const auto answer = screen.answer()) seen.status = answer->status;
  return seen;
}

const std::string get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string post = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
const std::string upgrade =
    "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

}  // namespace

TEST_CASE("good requests pass whole, however they are split") {
  const std::string chunked =
      "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  const std::string all = get + post + chunked + post + get;
  for (std::size_t piece = 1; piece <= all.size(); ++piece) {
    const Seen seen = feed(all, piece);
    CHECK(seen.verdict == Verdict::pass);
    CHECK(seen.passed == all);
  }
}

TEST_CASE("a refused request never reaches the reader whole") {
  struct Row {
    std::string bytes;
    Verdict verdict;
  };
  const std::vector<Row> rows = {
      {"FOO BAR\r\n\r\n", Verdict::malformed},
      {"GET / HTTP/1.1\r\nHost\r\n\r\n", Verdict::malformed},
      {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", Verdict::malformed},
      {"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", Verdict::malformed},
      {"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", Verdict::malformed},
      {"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       Verdict::malformed},
      {"POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", Verdict::refused},
      {"POST / HTTP/1.1\r\nContent-Length: 1844674407370955161\r\n\r\n", Verdict::refused},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffff\r\n", Verdict::refused},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n32\r\n" + std::string(50, 'a') +
           "\r\n33\r\n" + std::string(51, 'a') + "\r\n",
       Verdict::refused},
      {"GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\n\r\n", Verdict::head_too_large},
      {"GET / HTTP/1.1\r\nX: " + std::string(100'000, 'a') + "\r\n\r\n", Verdict::head_too_large},
  };
  for (const Row& row : rows) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, row.bytes.size()}) {
      CAPTURE(row.bytes.substr(0, 60));
      CAPTURE(piece);
      const Seen seen = feed(get + row.bytes, piece);
      CHECK(seen.verdict == row.verdict);
      CHECK(seen.passed.starts_with(get));
      CHECK(seen.passed.size() < get.size() + row.bytes.size());
      // A head that is refused must not look complete; a chunked body is refused later.
      if (row.bytes.find("chunked\r\n\r\n") == std::string::npos) {
        CHECK(seen.passed.find("\r\n\r\n", get.size()) == std::string::npos);
      }
    }
  }
}

TEST_CASE("a body of tiny chunks is refused in the end") {
  const RequestScreen::Rules rules{.unasked_bytes = std::uint64_t{1} << 30, .admit = {}};
  RequestScreen screen(rules);
  const std::string head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(screen.take(head) == head.size());
  int chunks = 0;
  while (screen.verdict() == Verdict::pass && chunks < 200'000) {
    static_cast<void>(screen.take("1\r\na\r\n"));
    ++chunks;
  }
  CHECK(screen.verdict() == Verdict::body_too_large);
}

TEST_CASE("after an upgrade the lengths of frames are limited") {
  const std::string small = std::string("\x81\x83\x01\x02\x03\x04", 6) + "abc";
  const std::string medium =
      std::string("\x82\xfe\x01\x00\x01\x02\x03\x04", 8) + std::string(256, 'x');
  const std::string huge = std::string("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 10) + "1234";
  const Admission admission;
  for (const std::size_t piece : {1, 3, 1000}) {
    RequestScreen screen(admission.rules);
    CHECK(screen.take(upgrade) == upgrade.size());
    std::string passed;
    const std::string frames = small + medium + small + huge;
    for (std::size_t at = 0; at < frames.size() && screen.verdict() == Verdict::pass; at += piece) {
      const std::string part = frames.substr(at, piece);
      passed += part.substr(0, screen.take(part));
    }
    CHECK(screen.verdict() == Verdict::frame_too_large);
    CHECK(passed.size() >= small.size() + medium.size() + small.size());
    CHECK(passed.size() < frames.size());
  }
}

TEST_CASE("bytes after a request to upgrade are not a request") {
  const Admission admission;
  RequestScreen screen(admission.rules);
  CHECK(screen.take(upgrade + get) == upgrade.size());
}

namespace {

const std::string upload = "POST /a/chat/uploads";
const std::string token = "AUTHORIZATION:  Bearer t \r\n";

std::string with_body(const std::string& line, const std::string& fields, std::size_t size) {
  return line + " HTTP/1.1\r\nHost: x\r\n" + fields + "Content-Length: " + std::to_string(size) +
         "\r\n\r\n" + std::string(size, 'x');
}

std::string in_chunks(const std::string& line, const std::string& fields, int chunks) {
  std::string text =
      line + " HTTP/1.1\r\nHost: x\r\n" + fields + "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < chunks; ++i) text += "32\r\n" + std::string(50, 'x') + "\r\n";
  return text + "0\r\n\r\n";
}

}  // namespace

TEST_CASE("a larger body needs admission by its head, again for each request") {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{5000}}) {
    const auto status = [piece](const std::string& bytes) {
      const Seen seen = feed(bytes, piece);
      return seen.verdict == Verdict::refused ? seen.status : 0;
    };
    CHECK(feed(with_body(upload, token, max_upload), piece).verdict == Verdict::pass);
    CHECK(feed(with_body(upload + "?a=b", token, max_upload), piece).verdict == Verdict::pass);
    CHECK(feed(in_chunks(upload, token, 20), piece).verdict == Verdict::pass);
    CHECK(feed(with_body(upload, "", max_body), piece).verdict == Verdict::pass);
    CHECK(feed(in_chunks(upload, "", 2), piece).verdict == Verdict::pass);
    CHECK(feed(with_body(upload, token, max_upload + 1), piece).verdict == Verdict::body_too_large);
    CHECK(feed(in_chunks(upload, token, 21), piece).verdict == Verdict::body_too_large);
    CHECK(status(with_body(upload, "", max_body + 1)) == 401);
    CHECK(status(in_chunks(upload, "", 3)) == 401);
    CHECK(status(with_body(upload, "Authorization: Bearer other\r\n", max_upload)) == 401);
    CHECK(status(with_body(upload, "X-Authorization: Bearer t\r\n", max_upload)) == 401);
    CHECK(status(with_body("PUT /a/chat/uploads", token, max_upload)) == 413);
    CHECK(status(with_body("POST /a?x=/chat/uploads", token, max_upload)) == 413);
    CHECK(status(with_body(upload, token, max_upload) + with_body(upload, "", max_upload)) == 401);
    CHECK(status(with_body(upload, token, max_upload) + with_body("POST /b", token, 200)) == 413);
  }
}

TEST_CASE("a grant is asked for once, and what has come is held until it is answered") {
  Admission admission;
  auto screen = std::make_unique<RequestScreen>(admission.rules);
  const std::string whole = with_body(upload, token, max_upload);
  static_cast<void>(screen->take(whole.substr(0, whole.size() - max_upload)));
  CHECK(admission.asked == 1);
  CHECK(admission.last_declared == max_upload);
  CHECK(admission.budget.held() == 0);
  static_cast<void>(screen->take(std::string(max_upload - 1, 'x')));
  CHECK(admission.budget.held() == max_upload - 1);
  static_cast<void>(screen->take("x"));
  CHECK(admission.budget.held() == max_upload);
  screen->release_body();
  CHECK(admission.budget.held() == 0);

  const std::string chunks = in_chunks(upload, token, 20);
  static_cast<void>(screen->take(chunks.substr(0, chunks.size() - 1)));
  CHECK(admission.asked == 2);
  CHECK_FALSE(admission.last_declared);
  CHECK(admission.budget.held() == max_upload);
  screen.reset();  // the client went away
  CHECK(admission.budget.held() == 0);
}

TEST_CASE("fault C4: a body counts as it comes, against its token's share") {
  Admission admission;
  const std::string whole = with_body(upload, token, max_upload);
  const std::size_t head = whole.size() - max_upload;
  RequestScreen declares(admission.rules);
  RequestScreen sends(admission.rules);
  RequestScreen late(admission.rules);
  CHECK(declares.take(whole.substr(0, head + 3)) == head + 3);
  CHECK(admission.budget.held() == 3);
  CHECK(sends.take(whole.substr(0, head + 900)) == head + 900);
  CHECK(late.take(whole.substr(0, head + 98)) == 0);
  CHECK(late.verdict() == Verdict::refused);
  CHECK(late.answer()->status == 503);
  CHECK(declares.take(std::string(97, 'x')) == 97);
}

TEST_CASE("fault C4: small bodies of strangers are counted too, and then need a token") {
  Admission admission;
  admission.rules.unasked = std::make_shared<const ByteBudget>(ByteBudget::Limits{150, 150});
  RequestScreen first(admission.rules);
  const std::string small = with_body(upload, "", max_body);
  CHECK(first.take(small.substr(0, small.size() - 1)) == small.size() - 1);
  CHECK(admission.asked == 0);
  RequestScreen second(admission.rules);
  static_cast<void>(second.take(small));
  CHECK(second.verdict() == Verdict::refused);
  CHECK(second.answer()->status == 401);
  RequestScreen known(admission.rules);
  const std::string with_token = with_body(upload, token, max_body);
  CHECK(known.take(with_token) == with_token.size());
}

TEST_CASE("fault C5: whatever two readers could read in two ways is malformed") {
  const std::string host = "Host: x\r\n";
  const auto head = [&](const std::string& fields) {
    return "POST /a HTTP/1.1\r\n" + host + fields + "\r\n";
  };
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::vector<std::string> rows = {
      head("Content-Length : 3\r\n") + "abc",
      head("Content-Length\t: 3\r\n") + "abc",
      head(" Content-Length: 3\r\n") + "abc",
      head("X: y\r\n z\r\n"),
      head("X: y\r\n\tz\r\n"),
      head("X: y\n"),
      "GET /a HTTP/1.1\n" + host + "\r\n",
      "GET /a HTTP/1.1\r\n" + host + "\n",
      head("X: a\rb\r\n"),
      head(std::string("X: a\0b\r\n", 8)),
      head("X: a\x01\r\n"),
      head("X\x80: a\r\n"),
      head(": a\r\n"),
      head("Content-Length: 3\r\nContent-Length: 3\r\n") + "abc",
      head("Content-Length: 3, 3\r\n") + "abc",
      head("Content-Length: +3\r\n") + "abc",
      head("Content-Length: 0x3\r\n") + "abc",
      head("Content-Length: \r\n"),
      head("Content-Length: 3 \x0b\r\n") + "abc",
      head(chunked + "Content-Length: 3\r\n") + "0\r\n\r\n",
      head(chunked + chunked) + "0\r\n\r\n",
      head("Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n",
      head("Transfer-Encoding: chunked, chunked\r\n") + "0\r\n\r\n",
      head("Transfer-Encoding: identity\r\n"),
      head("Transfer-Encoding: \"chunked\"\r\n") + "0\r\n\r\n",
      head("Transfer-Encoding:\r\n"),
      head("Host: y\r\n"),
      "POST /a HTTP/1.0\r\n" + host + chunked + "\r\n0\r\n\r\n",
      "GET /a HTTP/1.2\r\n" + host + "\r\n",
      "GET /a HTTP/2.0\r\n" + host + "\r\n",
      "GET /a HTTP/0.9\r\n" + host + "\r\n",
      "GET /a http/1.1\r\n" + host + "\r\n",
      "GET /a HTTP/1.1 \r\n" + host + "\r\n",
      "GET  /a HTTP/1.1\r\n" + host + "\r\n",
      "GET\t/a HTTP/1.1\r\n" + host + "\r\n",
      " GET /a HTTP/1.1\r\n" + host + "\r\n",
      "GET /a\x80 HTTP/1.1\r\n" + host + "\r\n",
      "GET /a\r\n" + host + "\r\n",
      "\r\n\r\nGET /a HTTP/1.1\r\n" + host + "\r\n",
      "\nGET /a HTTP/1.1\r\n" + host + "\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      head(chunked) + "3\nabc\r\n0\r\n\r\n",
      head(chunked) + "3 \r\nabc\r\n0\r\n\r\n",
      head(chunked) + " 3\r\nabc\r\n0\r\n\r\n",
      head(chunked) + "0x3\r\nabc\r\n0\r\n\r\n",
      head(chunked) + "+3\r\nabc\r\n0\r\n\r\n",
      head(chunked) + "\r\nabc\r\n0\r\n\r\n",
      head(chunked) + "3;a\nb\r\nabc\r\n0\r\n\r\n",
      head(chunked) + "3\r\nabcd\r\n0\r\n\r\n",
      head(chunked) + "3\r\nabc\n0\r\n\r\n",
      head(chunked) + "1000000000000000\r\n",
      head(chunked) + "0\r\nContent-Length: 5\r\n\r\n",
      head(chunked) + "0\r\nAuthorization: Bearer t\r\n\r\n",
      head(chunked) + "0\r\n\n"};
  for (const std::string& row : rows) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{5}, row.size() + get.size()}) {
      CAPTURE(row);
      CAPTURE(piece);
      // After a good request, and with another one in what looks like its body.
      const Seen seen = feed(get + row + get, piece);
      CHECK(seen.verdict == Verdict::malformed);
      CHECK(seen.passed.find("GET /a HTTP/1.1\r\nHost: x\r\n\r\n", get.size()) ==
            std::string::npos);
    }
  }
}

TEST_CASE("fault C5: one empty line before a request is read over") {
  for (const std::size_t piece : {1, 1000}) {
    const Seen seen = feed(post + "\r\n" + get + "\r\n" + get, piece);
    CHECK(seen.verdict == Verdict::pass);
    CHECK(seen.passed == post + "\r\n" + get + "\r\n" + get);
  }
}

TEST_CASE("fault C5: a client that waits for 100 Continue is told once to go on") {
  const std::string expect =
      "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n";
  const Admission admission;
  RequestScreen screen(admission.rules);
  static_cast<void>(screen.take(get));
  CHECK_FALSE(screen.take_expectation());
  static_cast<void>(screen.take(expect));
  CHECK(screen.take_expectation());
  CHECK_FALSE(screen.take_expectation());
  static_cast<void>(screen.take("abc"));
  static_cast<void>(screen.take(expect + "a"));  // it did not wait
  CHECK_FALSE(screen.take_expectation());
}

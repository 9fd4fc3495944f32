#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "request_screen.hpp"

using molecule::server::RequestScreen;
using Verdict = RequestScreen::Verdict;

namespace {

constexpr std::uint64_t most_body = 100;
constexpr std::uint64_t most_upload = 1000;

struct Seen {
  std::string passed;
  Verdict verdict = Verdict::pass;
};

/// Feeds `bytes` in pieces; what follows a refusal is not read any more.
Seen feed(const std::string& bytes, std::size_t piece) {
  RequestScreen screen({.body = most_body, .upload = most_upload});
  Seen seen;
  for (std::size_t at = 0; at < bytes.size() && screen.verdict() == Verdict::pass; at += piece) {
    const std::string part = bytes.substr(at, piece);
    seen.passed += part.substr(0, screen.take(part));
  }
  seen.verdict = screen.verdict();
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

TEST_CASE("what is refused never reaches the reader whole") {
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
      {"POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", Verdict::body_too_large},
      {"POST / HTTP/1.1\r\nContent-Length: 1844674407370955161\r\n\r\n", Verdict::body_too_large},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffff\r\n",
       Verdict::body_too_large},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n32\r\n" + std::string(50, 'a') +
           "\r\n33\r\n" + std::string(51, 'a') + "\r\n",
       Verdict::body_too_large},
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
  RequestScreen screen({.body = std::uint64_t{1} << 30, .upload = 0});
  const std::string head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(screen.take(head) == head.size());
  int chunks = 0;
  while (screen.verdict() == Verdict::pass && chunks < 200'000) {
    static_cast<void>(screen.take("1\r\na\r\n"));
    ++chunks;
  }
  CHECK(screen.verdict() == Verdict::body_too_large);
}

TEST_CASE("after an upgrade the frames' lengths are watched") {
  const std::string small = std::string("\x81\x83\x01\x02\x03\x04", 6) + "abc";
  const std::string medium =
      std::string("\x82\xfe\x01\x00\x01\x02\x03\x04", 8) + std::string(256, 'x');
  const std::string huge = std::string("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 10) + "1234";
  for (const std::size_t piece : {1, 3, 1000}) {
    RequestScreen screen({.body = most_body, .upload = most_upload});
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

TEST_CASE("what follows a request to upgrade is not a request any more") {
  RequestScreen screen({.body = most_body, .upload = most_upload});
  CHECK(screen.take(upgrade + get) == upgrade.size());
}

TEST_CASE(
    "only the route of uploads takes larger bodies, and one after another has its own limit") {
  const std::string body(most_upload, 'x');
  const auto request = [&body](const std::string& line, std::size_t size) {
    return line + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
           body.substr(0, size);
  };
  const std::string upload = "POST /workspaces/a/chat/uploads";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{5000}}) {
    CHECK(feed(request(upload, most_upload), piece).verdict == Verdict::pass);
    CHECK(feed(request(upload + "?a=b", most_upload), piece).verdict == Verdict::pass);
    CHECK(feed(request(upload, most_upload + 1), piece).verdict == Verdict::body_too_large);
    CHECK(feed(request("PUT /workspaces/a/chat/uploads", most_upload), piece).verdict ==
          Verdict::body_too_large);
    CHECK(feed(request("POST /a?x=/chat/uploads", most_upload), piece).verdict ==
          Verdict::body_too_large);
    CHECK(feed(request(upload, 10) + request("POST /a", most_upload), piece).verdict ==
          Verdict::body_too_large);
  }
}

// Requests that contain files.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <vector>

#include "net/network.hpp"
#include "support/temporary_folder.hpp"

using namespace molecule;
using net::HttpErrc;
using test::Network;
using test::Peer;

namespace {

awaitable<void> accept_all(Peer& peer) {
  while (true) {
    const bool more = co_await peer.receive();
    if (!more) co_return;
    co_await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  }
}

std::filesystem::path write(const std::filesystem::path& path, std::string_view content) {
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

net::HttpRequest upload(std::string url, std::vector<std::filesystem::path> paths) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = std::move(url);
  for (const auto& path : paths) {
    request.files.push_back({"files", path, path.filename().string(), "text/plain"});
  }
  return request;
}

}  // namespace

TEST_CASE("files are sent as a multipart form") {
  Network network;
  const test::TemporaryFolder folder;
  auto& server = network.serve(accept_all);
  const std::string large(3 << 20, 'L');
  const auto answer = network.send(upload(
      server.url(), {write(folder.path() / "a.txt", "first"),
                     write(folder.path() / "b\".txt", large), write(folder.path() / "empty", "")}));
  REQUIRE(answer);
  REQUIRE(server.requests().size() == 1);
  const std::string& sent = server.requests()[0].text;
  const auto contains = [&](std::string_view text) { return sent.find(text) != std::string::npos; };
  CHECK(contains("Content-Type: multipart/form-data; boundary="));
  CHECK(
      contains("name=\"files\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nfirst\r\n"));
  CHECK(contains("filename=\"b%22.txt\"\r\nContent-Type: text/plain\r\n\r\n" + large + "\r\n"));
  CHECK(contains("filename=\"empty\"\r\nContent-Type: text/plain\r\n\r\n\r\n"));
  CHECK_FALSE(contains("Expect"));
}

TEST_CASE("anything but a readable regular file is rejected before any I/O") {
  Network network;
  const test::TemporaryFolder folder;
  auto& server = network.serve(accept_all);
  std::filesystem::path path = folder.path() / "x";
  SUBCASE("a missing file") {}
  SUBCASE("a folder") {
    path = folder.path();
  }
  SUBCASE("a pipe without a writer") {
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  }
  SUBCASE("a device") {
    path = "/dev/zero";
  }
  const auto answer =
      network.send(upload(server.url(), {write(folder.path() / "good", "x"), path}));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == HttpErrc::unreadable_file);
  CHECK(answer.error().message.find(path.string()) != std::string::npos);
  CHECK_FALSE(answer.error().may_have_arrived);
  CHECK(server.connections() == 0);
}

TEST_CASE("a file that shrinks while being sent fails the request") {
  static std::filesystem::path path;
  Network network;
  const test::TemporaryFolder folder;
  path = write(folder.path() / "shrinks", std::string(64 << 20, 'x'));
  auto& server = network.serve([](Peer& peer) -> awaitable<void> {
    REQUIRE(::truncate(path.c_str(), 1000) == 0);
    co_await peer.until_closed();
  });
  const auto answer = network.send(upload(server.url(), {path}));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == HttpErrc::unreadable_file);
  CHECK(answer.error().message.find("shorter") != std::string::npos);
}

TEST_CASE("fault D5: only stored files are sent, and only the file that was checked") {
  Network network;
  const test::TemporaryFolder folder;
  auto& server = network.serve(accept_all);
  const std::filesystem::path path = write(folder.path() / "a.txt", "first");
  const auto send = [&](auto change) {
    net::HttpRequest request = upload(server.url(), {path});
    request.files.front().identity = files::identity(path);
    request.files.front().size = 5;
    change(request.files.front());
    return network.send(std::move(request));
  };
  CHECK(send([](net::FormFile&) {}));
  const auto refused = [&](auto change) {
    const auto answer = send(change);
    return !answer && answer.error().code == HttpErrc::unreadable_file;
  };
  CHECK(refused([](net::FormFile& file) { file.size = 6; }));
  CHECK(refused([&](net::FormFile& file) { file.path = write(folder.path() / "b.txt", "other"); }));
#ifdef MOLECULE_LINUX
  const std::vector<const char*> all_made_up{"/proc/self/environ", "/proc/version", "/dev/null"};
#else
  const std::vector<const char*> all_made_up{"/dev/null"};
#endif
  for (const char* made_up : all_made_up) {
    CAPTURE(made_up);
    CHECK(refused([made_up](net::FormFile& file) {
      file.path = made_up;
      file.identity.reset();
      file.size.reset();
    }));
  }
  CHECK(server.requests().size() == 1);
}

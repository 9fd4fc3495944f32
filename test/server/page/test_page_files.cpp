#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "server/page/page.hpp"
#include "server/platform.hpp"

using namespace molecule;
using test::Member;
using test::path_of;
using test::Platform;

namespace {

server::Request get(std::string path,
                    std::vector<std::pair<std::string, std::string>> headers = {}) {
  server::Request request;
  request.method = "GET";
  request.path = std::move(path);
  request.headers = std::move(headers);
  return request;
}

std::string field(const server::Reply& reply, std::string_view name) {
  for (const auto& [key, value] : reply.headers) {
    if (key == name) return value;
  }
  return "";
}

void write(Platform& platform, const Member& from, const Member& to, std::string_view text) {
  platform.headers = {{"X-Workspace-ID", from.id}};
  const auto sent =
      platform.post(path_of(to, "/a2a"), from.token,
                    fmt::format(R"({{"method":"message/send","params":{{"message":{{"parts":[)"
                                R"({{"kind":"text","text":"{}"}}]}}}}}})",
                                text));
  platform.headers.clear();
  REQUIRE(sent.status == 200);
}

}  // namespace

TEST_CASE("the page's files are compressed, tagged, and kept by their name") {
  Platform platform;
  std::size_t bytes = 0;
  for (const server::page::File& file : server::page::files()) {
    CAPTURE(file.name);
    const std::string path = file.name.empty() ? "/" : "/page/" + std::string(file.name);
    const auto plain = platform.handle(get(path));
    CHECK(plain.status == 200);
    CHECK(plain.policy == server::ContentPolicy::page);
    CHECK(plain.body == file.plain);
    CHECK(field(plain, "Content-Encoding") == "");
    CHECK(field(plain, "Cache-Control") ==
          (file.name.empty() ? "no-cache" : "public, max-age=31536000, immutable"));
    const auto packed = platform.handle(get(path, {{"Accept-Encoding", "br, GZIP , x"}}));
    CHECK(field(packed, "Content-Encoding") == "gzip");
    CHECK(packed.body.substr(0, 2) == "\x1f\x8b");
    CHECK(platform.handle(get(path, {{"Accept-Encoding", "gzip;q=0"}})).body == file.plain);
    const auto known = platform.handle(get(path, {{"If-None-Match", field(packed, "ETag")}}));
    CHECK(known.status == 304);
    CHECK(known.body.empty());
    CHECK(platform.handle(get(path, {{"If-None-Match", "\"other\""}})).status == 200);
    bytes += packed.body.size();
    // Nothing of it is inline, so the policy can forbid that.
    if (file.name.empty()) CHECK(plain.body.find("<script>") == std::string::npos);
  }
  CHECK(bytes <= 100'000);
  CHECK(platform.handle(get("/page/app-0000000000.js")).status == 404);
}

TEST_CASE("a build without the page says so, and how to go on") {
  const server::Reply reply = server::page::page_reply({}, get("/"));
  CHECK(reply.status == 200);
  CHECK(reply.content_type.starts_with("text/plain"));
  CHECK(reply.body.find("built without its page") != std::string::npos);
  CHECK(reply.body.find("POST /workspaces") != std::string::npos);
  CHECK(reply.body.find("admin_token") != std::string::npos);
}

TEST_CASE("the overview counts messages, pairs and what is unread") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  write(platform, a, b, "one");
  write(platform, a, b, "two");
  platform.post(path_of(b, "/notify"), b.token, R"({"message":"to the person"})");
  const auto answer = platform.get("/page/overview", platform.admin);
  REQUIRE(answer.status == 200);
  for (const json::Value agent : answer["agents"].items()) {
    const bool is_b = agent["id"].string_or("") == b.id;
    CHECK(agent["unread"].integer() == (is_b ? 2 : 0));
    CHECK(agent["traffic"].items().size() == 12);
    CHECK(agent["traffic"].items().back().integer() == (is_b ? 3 : 0));
  }
  REQUIRE(answer["pairs"].items().size() == 1);
  CHECK(answer["pairs"].items()[0]["from"].string_or("") == a.id);
  CHECK(answer["pairs"].items()[0]["to"].string_or("") == b.id);
  CHECK(answer["pairs"].items()[0]["count"].integer() == 2);
  platform.set(b, "fetched_seq = 1000");
  const auto later = platform.get("/page/overview", platform.admin);
  for (const json::Value agent : later["agents"].items()) {
    CHECK(agent["unread"].integer() == 0);
  }
}

TEST_CASE("the agents' talk is paged, newest first, without the person's") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  const Member c = platform.add("c");
  for (int i = 0; i < 5; ++i) write(platform, a, b, fmt::format("to b {}", i));
  write(platform, c, a, "to a");
  platform.post(path_of(a, "/a2a"), platform.admin,
                R"({"method":"message/send","params":{"message":{"parts":[]}}})");
  auto page = platform.get("/page/talk?limit=4", platform.admin);
  REQUIRE(page["rows"].items().size() == 4);
  CHECK(page["rows"].items()[0]["source_id"].string_or("") == c.id);
  const auto before = page["next_before"].integer();
  REQUIRE(before);
  page = platform.get(fmt::format("/page/talk?limit=4&before_seq={}", *before), platform.admin);
  CHECK(page["rows"].items().size() == 2);
  CHECK(page["next_before"].integer() == 0);
  CHECK(platform.get("/page/talk?agent=" + c.id, platform.admin)["rows"].items().size() == 1);
  CHECK(platform.get("/page/talk?agent=x", platform.admin).status == 400);
  CHECK(platform.get("/page/talk", a.token).status == 401);
}

TEST_CASE("the log has what events told of messages, and nothing that is kept as an event") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  write(platform, a, b, "to b");
  platform.post(path_of(b, "/notify"), b.token, R"({"message":"to the person"})");
  platform.post(path_of(a, "/delegate"), a.token,
                fmt::format(R"({{"target_id":"{}","task":"count"}})", b.id));
  const auto log = platform.get("/page/log", platform.admin);
  REQUIRE(log.status == 200);
  std::vector<std::string> said;
  for (const json::Value row : log.items()) {
    CHECK(row["event_type"].string_or("") == "ACTIVITY_LOGGED");
    CHECK(row["workspace_id"].string_or("") == b.id);
    const json::Value payload = row["payload"];
    CHECK(payload["activity_type"].string_or("") == "a2a_receive");
    said.emplace_back(payload["response_body"]["result"].string_or(""));
    for (const json::Value part : payload["request_body"]["params"]["message"]["parts"].items()) {
      said.back() += part["text"].string_or("");
    }
  }
  CHECK(said == std::vector<std::string>{"count", "to the person", "to b"});
  CHECK(platform.get("/page/log?agent=" + b.id, platform.admin).items().size() == 3);
  CHECK(platform.get("/page/log?agent=" + a.id, platform.admin).items().empty());
  CHECK(platform.get("/page/log?agent=x", platform.admin).status == 400);
}

TEST_CASE("files that wait, and where molecule-mcp is") {
  Platform platform;
  const Member a = platform.add("a");
  CHECK(platform.get("/page/files?agent=" + a.id, platform.admin)["files"].items().empty());
  platform.database.execute(
      "INSERT INTO pending_uploads(id, workspace_id, name, mime_type, size, created_at)"
      " VALUES ('f', '" +
      a.id + "', 'n.txt', 'text/plain', 3, 0)");
  const auto waiting = platform.get("/page/files?agent=" + a.id, platform.admin);
  REQUIRE(waiting["files"].items().size() == 1);
  CHECK(waiting["files"].items()[0]["uri"].string_or("") == "platform-pending:" + a.id + "/f");
  CHECK(platform.get("/page/files?agent=", platform.admin).status == 400);
  const auto install = platform.get("/page/install", platform.admin);
  CHECK(install["molecule_mcp"].string_or("").find("molecule-mcp") != std::string::npos);
}

#include <doctest/doctest.h>

#include <set>

#include "server/api/input.hpp"
#include "server/platform.hpp"

using namespace molecule;
using test::Member;
using test::path_of;
using test::Platform;

namespace {

void report(Platform& platform, const Member& member, std::string_view summary) {
  const auto reply =
      platform.post(path_of(member, "/activity"), member.token,
                    R"({"activity_type":"agent_log","summary":")" + std::string(summary) + "\"}");
  REQUIRE(reply.status == 200);
  REQUIRE(reply.text == R"({"status":"logged"})");
}

std::vector<std::string> summaries(const test::Answer& page) {
  std::vector<std::string> found;
  for (const json::Value row : page.items()) found.emplace_back(row["summary"].string_or("?"));
  return found;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("paging by cursor gives every row once, in order, at any limit") {
  Platform platform;
  const Member a = platform.add("a");
  const Member other = platform.add("other");
  for (int i = 0; i < 23; ++i) {
    report(platform, a, std::to_string(i));
    report(platform, other, "not yours");
  }
  // Rows that share a microsecond are different rows.
  platform.database.execute("UPDATE activity SET created_at = 1");
  auto first = platform.get(path_of(a, "/activity?limit=500"), a.token);
  REQUIRE(first.items().size() == 23);
  CHECK(summaries(first).front() == "22");
  const std::string oldest(first.items().back()["id"].string_or(""));

  for (const int limit : {1, 2, 5, 7, 22, 100}) {
    std::string cursor = oldest;
    Texts seen;
    for (;;) {
      const auto page = platform.get(
          path_of(a, "/activity?limit=" + std::to_string(limit) + "&since_id=" + cursor), a.token);
      REQUIRE(page.status == 200);
      if (page.items().empty()) break;
      CHECK(static_cast<int>(page.items().size()) <= limit);
      for (const std::string& summary : summaries(page)) seen.push_back(summary);
      cursor = page.items().back()["id"].string_or("");
    }
    REQUIRE(seen.size() == 22);
    for (int i = 0; i < 22; ++i) CHECK(seen[i] == std::to_string(i + 1));
  }
}

TEST_CASE("the cursor need not match the other filters") {
  Platform platform;
  const Member a = platform.add("a");
  report(platform, a, "one");
  const std::string cursor(
      platform.get(path_of(a, "/activity"), a.token).items().at(0)["id"].string_or(""));
  platform.post(path_of(a, "/a2a"), platform.admin, R"({"method":"x"})");
  const auto page =
      platform.get(path_of(a, "/activity?type=a2a_receive&since_id=" + cursor), a.token);
  CHECK(page.items().size() == 1);
}

TEST_CASE("a cursor that is no row of this workspace is answered with 410") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  report(platform, b, "b's");
  const std::string foreign(
      platform.get(path_of(b, "/activity"), b.token).items().at(0)["id"].string_or(""));
  for (const std::string& cursor : {foreign, std::string(test::nil_id),
                                    std::string(test::unknown_id), std::string("nonsense")}) {
    const auto reply = platform.get(path_of(a, "/activity?since_id=" + cursor), a.token);
    CHECK(reply.status == 410);
    CHECK(reply.error() ==
          "since_id cursor not found (row may have been pruned or belongs to a different "
          "workspace); omit since_id to reset");
  }
}

TEST_CASE("activity is filtered") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  report(platform, a, "report");
  platform.clock.advance(std::chrono::seconds(100));
  platform.post(path_of(a, "/a2a"), platform.admin, R"({"method":"human"})");
  platform.clock.advance(std::chrono::seconds(100));
  platform.post(path_of(a, "/a2a"), b.token, R"({"method":"peer"})");

  const auto methods = [&](const std::string& query) {
    Texts found;
    const auto page = platform.get(path_of(a, "/activity?" + query), a.token);
    CHECK(page.status == 200);
    for (const json::Value row : page.items()) {
      found.emplace_back(row["method"].string_or("report"));
    }
    return found;
  };
  CHECK(methods("") == Texts{"peer", "human", "report"});
  CHECK(methods("type=a2a_receive") == Texts{"peer", "human"});
  CHECK(methods("type=nothing") == Texts{});
  CHECK(methods("source=canvas") == Texts{"human"});
  CHECK(methods("source=agent") == Texts{"peer", "report"});
  CHECK(methods("peer_id=" + b.id) == Texts{"peer"});
  CHECK(methods("since_secs=50") == Texts{"peer"});
  CHECK(methods("since_secs=150") == Texts{"peer", "human"});
  CHECK(methods("since_secs=9000000000000000000") == Texts{"peer", "human", "report"});
  CHECK(methods("limit=1") == Texts{"peer"});
  for (const char* limit : {"0", "-1", "x", "1x", "99999999999999999999", ""}) {
    CHECK(methods(std::string("limit=") + limit).size() == 3);
  }
  const auto page = platform.get(path_of(a, "/activity"), a.token);
  const std::string middle(page.items().at(1)["created_at"].string_or(""));
  CHECK(methods("before_ts=" + middle) == Texts{"report"});
  CHECK(methods("source=agent&before_ts=" + middle) == Texts{"report"});
}

TEST_CASE("the refusals of GET activity") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  const auto error = [&](const std::string& query, int status) {
    const auto reply = platform.get(path_of(a, "/activity?" + query), a.token);
    CHECK(reply.status == status);
    return std::string(reply.error());
  };
  for (const char* secs : {"0", "-5", "x", "1.5", "99999999999999999999"}) {
    CHECK(error(std::string("since_secs=") + secs, 400) == "since_secs must be a positive integer");
  }
  CHECK(error("source=moon", 400) == "source must be 'canvas' or 'agent'");
  CHECK(error("peer_id=x", 400) == "peer_id must be a UUID");
  CHECK(error("before_ts=yesterday", 400) == "before_ts must be an RFC3339 time");
  CHECK(error("before_ts=9999-12-31T00:00:00Z", 400) == "before_ts must be an RFC3339 time");
  CHECK(error("source=moon&since_id=x&since_secs=0", 400).starts_with("since_secs"));
  CHECK(error("source=moon&since_id=x", 410).starts_with("since_id"));

  CHECK(platform.get(path_of(a, "/activity"), "").status == 401);
  CHECK(platform.get(path_of(a, "/activity"), "").error() == "missing workspace auth token");
  CHECK(platform.get(path_of(a, "/activity"), b.token).status == 401);
  CHECK(platform.get(path_of(a, "/activity"), b.token).error() == "invalid workspace auth token");
  CHECK(platform.get("/workspaces/nonsense/activity", platform.admin).status == 400);
  CHECK(platform.get("/workspaces/nonsense/activity", a.token).status == 401);
  CHECK(platform.get("/workspaces/" + std::string(test::unknown_id) + "/activity", platform.admin)
            .text == "[]");
}

TEST_CASE("a page ends before it gets too large, but has at least one row") {
  Platform platform;
  const Member a = platform.add("a");
  report(platform, a, "first");
  const std::string cursor(
      platform.get(path_of(a, "/activity"), a.token).items().at(0)["id"].string_or(""));
  const std::string large(3 << 20, 'x');
  for (int i = 0; i < 5; ++i) report(platform, a, large);
  std::string at = cursor;
  std::size_t rows = 0;
  for (int pages = 0; pages < 10; ++pages) {
    const auto page = platform.get(path_of(a, "/activity?since_id=" + at), a.token);
    if (page.items().empty()) break;
    CHECK(page.text.size() < server::max_page_bytes + large.size() + 1024);
    rows += page.items().size();
    at = page.items().back()["id"].string_or("");
  }
  CHECK(rows == 5);
}

TEST_CASE("reports keep their bodies as they are") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  const auto reply = platform.post(
      path_of(a, "/activity"), a.token,
      R"({"activity_type":"a2a_send","method":"m","summary":"s","target_id":")" + b.id +
          R"(","source_id":")" + a.id +
          R"(","status":"error","error_detail":"why","duration_ms":12,"metadata":{"k":[1,"<&>"]},)" +
          R"("response_body":"text","unknown":1})");
  CHECK(reply.status == 200);
  const auto page = platform.get(path_of(a, "/activity"), a.token);
  const json::Value row = page.items().at(0);
  CHECK(row["source_id"].string_or("") == a.id);
  CHECK(row["target_id"].string_or("") == b.id);
  CHECK(row["status"].string_or("") == "error");
  CHECK(row["error_detail"].string_or("") == "why");
  CHECK(row["duration_ms"].integer() == 12);
  CHECK(row["request_body"].dump() == R"({"k":[1,"<&>"]})");
  CHECK(row["response_body"].string_or("") == "text");
}

TEST_CASE("the refusals of POST activity") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  const auto refused = [&](const std::string& body, int status) {
    const auto reply = platform.post(path_of(a, "/activity"), a.token, body);
    CHECK_MESSAGE(reply.status == status, body);
    return std::string(reply.error());
  };
  for (const char* body : {"", "{", "[]", "null", R"({"activity_type":5})",
                           R"({"activity_type":"error","summary":[]})",
                           R"({"activity_type":"error","duration_ms":1.5})",
                           R"({"activity_type":"error","duration_ms":99999999999999999999})",
                           R"({"activity_type":"error","target_id":7})"}) {
    CHECK(refused(body, 400) == "invalid request body");
  }
  CHECK(refused("{}", 400).starts_with("activity_type must be one of: a2a_send"));
  CHECK(refused(R"({"activity_type":"delegation"})", 400).starts_with("activity_type must"));
  CHECK(refused(R"({"activity_type":"error","target_id":"x"})", 400) ==
        "target_id must be a valid UUID");
  CHECK(refused(R"({"activity_type":"error","source_id":")" + b.id + "\"}", 403) ==
        "source_id must match authenticated workspace");
  const std::string deep = std::string(300, '[') + std::string(300, ']');
  CHECK(refused(R"({"activity_type":"error","request_body":)" + deep + "}", 400) ==
        "invalid request body: nested too deeply");
  CHECK(platform.post(path_of(a, "/activity"), b.token, "{}").status == 401);
  const std::string unknown = "/workspaces/" + std::string(test::unknown_id) + "/activity";
  CHECK(platform.post(unknown, platform.admin, R"({"activity_type":"error"})").status == 404);
  CHECK(platform.count("SELECT count(*) FROM activity") == 0);
}

TEST_CASE("ack only moves forward") {
  Platform platform;
  const Member a = platform.add("a");
  const auto ack = [&](const std::string& body) {
    return platform.post(path_of(a, "/activity/ack"), a.token, body);
  };
  CHECK(ack(R"({"acked_seq":5})").text == R"({"last_acked_seq":5})");
  CHECK(ack(R"({"acked_seq":3})").text == R"({"last_acked_seq":5})");
  CHECK(ack(R"({"acked_seq":9})").text == R"({"last_acked_seq":9})");
  for (const char* body : {"", "{}", R"({"acked_seq":-1})", R"({"acked_seq":1.0})",
                           R"({"acked_seq":"1"})", R"({"acked_seq":null})"}) {
    CHECK(ack(body).status == 400);
  }
  CHECK(platform.post(path_of(a, "/activity/ack"), "", "{}").status == 401);
}

TEST_CASE("peer_info says who wrote and which files came") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("Bob");
  platform.set(b, "role = 'researcher'");
  platform.post(
      path_of(a, "/a2a"), b.token,
      R"({"method":"message/send","params":{"message":{"parts":[{"kind":"text","text":"x"},
      {"kind":"file","file":{"uri":"file:///x","name":"n.txt","mimeType":"text/plain"}},
      {"kind":"file","file":7},5]}}})");
  platform.post(path_of(a, "/a2a"), platform.admin, R"({"method":"message/send"})");
  const auto page = platform.get(path_of(a, "/activity?include=peer_info"), a.token);
  REQUIRE(page.items().size() == 2);
  const json::Value human = page.items()[0];
  CHECK_FALSE(human["peer_name"].present());
  CHECK(!human["attachments"].present());
  const json::Value peer = page.items()[1];
  CHECK(peer["peer_name"].string_or("") == "Bob");
  CHECK(peer["peer_role"].string_or("") == "researcher");
  CHECK(peer["agent_card_url"].string_or("") == "http://127.0.0.1:8080/registry/discover/" + b.id);
  CHECK(peer["attachments"].dump() ==
        R"([{"kind":"file","uri":"file:///x","mime_type":"text/plain","name":"n.txt"}])");
  CHECK_FALSE(platform.get(path_of(a, "/activity"), a.token).items()[1]["peer_name"].present());
}

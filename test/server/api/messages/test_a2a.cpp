#include <doctest/doctest.h>

#include "base/random.hpp"
#include "server/api/workspaces/workspace_rows.hpp"
#include "server/platform.hpp"

using namespace molecule;
using test::Member;
using test::path_of;
using test::Platform;

namespace {

std::string message(std::string_view id, std::string_view text = "hello") {
  return R"({"jsonrpc":"2.0","id":1,"method":"message/send","params":{"message":{"messageId":")" +
         std::string(id) + R"(","role":"user","parts":[{"kind":"text","text":")" +
         std::string(text) + R"("}]}}})";
}

}  // namespace

TEST_CASE("the user's message waits in the inbox of a polling workspace") {
  Platform platform;
  const Member a = platform.add("Ann");
  std::vector<std::string> frames;
  platform.events.subscribe(
      {.caller = server::Caller::admin(),
       .send = [&frames](const std::string& frame) { frames.push_back(frame); },
       .revoke = [] {}});
  const auto sent = platform.post(path_of(a, "/a2a"), platform.admin, message("m1"));
  CHECK(sent.status == 200);
  CHECK(sent.content_type == "application/json");
  CHECK(sent.text == R"({"delivery_mode":"poll","method":"message/send","status":"queued"})");

  const auto page = platform.get(path_of(a, "/activity?type=a2a_receive"), a.token);
  REQUIRE(page.items().size() == 1);
  const json::Value row = page.items()[0];
  CHECK(row["activity_type"].string_or("") == "a2a_receive");
  CHECK(row["source_id"].is_null());
  CHECK(row["target_id"].string_or("") == a.id);
  CHECK(row["method"].string_or("") == "message/send");
  CHECK(row["summary"].string_or("") == "message/send \xE2\x86\x92 Ann (queued for poll)");
  CHECK(row["status"].string_or("") == "ok");
  CHECK(row["duration_ms"].is_null());
  CHECK(row["error_detail"].is_null());
  CHECK_FALSE(row["response_body"].present());
  std::string expected = message("m1");
  expected.insert(expected.size() - 3, R"(,"contextId":")" + a.id + "\"");
  CHECK(row["request_body"].dump() == expected);
  CHECK(row["seq"].integer().has_value());
  REQUIRE(frames.size() == 3);  // and USER_MESSAGE, MESSAGE_FETCHED
  CHECK(frames[0].find("ACTIVITY_LOGGED") != std::string::npos);
  CHECK(frames[0].find("\"message_id\":\"m1\"") != std::string::npos);
}

TEST_CASE("a repetition gets the same answer and leaves one row") {
  Platform platform;
  const Member parent = platform.add("parent");
  const Member a = platform.add("a", parent.id);
  const Member b = platform.add("b", parent.id);
  for (int i = 0; i < 3; ++i) {
    const auto reply = platform.post(path_of(b, "/a2a"), a.token, message("1"));
    CHECK(reply.text == R"({"delivery_mode":"poll","method":"message/send","status":"queued"})");
  }
  CHECK(platform.get(path_of(b, "/activity"), b.token).items().size() == 1);

  SUBCASE("the same id of another sender is another message") {
    CHECK(platform.post(path_of(b, "/a2a"), parent.token, message("1")).status == 200);
    CHECK(platform.post(path_of(b, "/a2a"), platform.admin, message("1")).status == 200);
    CHECK(platform.post(path_of(b, "/a2a"), platform.admin, message("1")).status == 200);
    CHECK(platform.get(path_of(b, "/activity"), b.token).items().size() == 3);
  }
  SUBCASE("without an id nothing counts as a repetition") {
    const char* body = R"({"method":"x","params":{"message":{"parts":[]}}})";
    platform.post(path_of(b, "/a2a"), a.token, body);
    platform.post(path_of(b, "/a2a"), a.token, body);
    CHECK(platform.get(path_of(b, "/activity"), b.token).items().size() == 3);
  }
}

TEST_CASE("permission to write follows can_communicate") {
  Platform platform;
  std::vector<Member> members;
  members.push_back(platform.add("root1"));
  members.push_back(platform.add("root2"));
  for (int i = 0; i < 10; ++i) {
    const auto parent =
        static_cast<std::size_t>(random_unit() * static_cast<double>(members.size()));
    members.push_back(platform.add("m" + std::to_string(i), members[parent].id));
  }
  int allowed = 0;
  int refused = 0;
  for (const Member& from : members) {
    for (const Member& to : members) {
      const auto reply = platform.post(path_of(to, "/a2a"), from.token, message(random_uuid()));
      const bool may = platform.can_communicate(from, to);
      CHECK(reply.status == (may ? 200 : 403));
      if (!may) {
        CHECK(reply.error() == "access denied: workspaces cannot communicate per hierarchy rules");
      }
      ++(may ? allowed : refused);
    }
  }
  CHECK(platform.count("SELECT count(*) FROM activity") == allowed);
  CHECK(refused + allowed == 144);
}

TEST_CASE("cousins are refused") {
  Platform platform;
  const Member root = platform.add("root");
  const Member a = platform.add("a", root.id);
  const Member b = platform.add("b", root.id);
  const Member child = platform.add("child", a.id);
  const Member cousin = platform.add("cousin", b.id);
  CHECK(platform.post(path_of(cousin, "/a2a"), child.token, message("m")).status == 403);
  CHECK(platform.post(path_of(child, "/a2a"), b.token, message("m")).status == 403);
  CHECK(platform.post(path_of(root, "/a2a"), child.token, message("m")).status == 200);
}

TEST_CASE("the refusals of /a2a, in their order") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  const std::string unknown = "/workspaces/" + std::string(test::unknown_id) + "/a2a";
  CHECK(platform.post(path_of(a, "/a2a"), "", message("m")).status == 401);
  CHECK(platform.post(path_of(a, "/a2a"), "wrong", message("m")).status == 401);
  CHECK(platform.post(unknown, platform.admin, message("m")).status == 404);
  CHECK(platform.post(unknown, platform.admin, message("m")).error() == "workspace not found");
  CHECK(platform.post(unknown, a.token, message("m")).status == 403);
  CHECK(platform.post("/workspaces/nonsense/a2a", platform.admin, message("m")).status == 400);
  CHECK(platform.post("/workspaces/nonsense/a2a", a.token, message("m")).status == 403);
  CHECK(platform.post(path_of(a, "/a2a"), platform.admin, "{").error() == "invalid JSON");

  SUBCASE("a workspace cannot claim another's id") {
    platform.headers = {{"X-Workspace-ID", b.id}};
    CHECK(platform.post(path_of(b, "/a2a"), a.token, message("m")).status == 401);
    platform.headers = {{"X-Workspace-ID", "system:x"}};
    CHECK(platform.post(path_of(b, "/a2a"), a.token, message("m")).error() == "invalid caller ID");
  }
  SUBCASE("the budget is checked before the envelope") {
    platform.set(a, "budget_limit = 100, monthly_spend = 99");
    CHECK(platform.post(path_of(a, "/a2a"), b.token, message("m")).status == 200);
    platform.set(a, "monthly_spend = 100");
    CHECK(platform.post(path_of(a, "/a2a"), b.token, "{").status == 402);
    CHECK(platform.post(path_of(a, "/a2a"), b.token, "{").error() ==
          "workspace budget limit exceeded");
  }
  SUBCASE("a removed workspace gets no messages") {
    platform.set(a, "status = 'removed'");
    const auto reply = platform.post(path_of(a, "/a2a"), platform.admin, message("m"));
    CHECK(reply.status == 410);
    CHECK(reply.error() == "workspace removed");
    CHECK(platform.post(path_of(a, "/a2a"), b.token, message("m")).status == 410);
  }
  SUBCASE("a workspace that does not poll is not reachable from here") {
    platform.set(a, "delivery_mode = 'push'");
    auto reply = platform.post(path_of(a, "/a2a"), b.token, message("m"));
    CHECK(reply.status == 503);
    CHECK(reply.error() == "workspace has no URL");
    CHECK(reply["status"].string_or("") == "online");
    platform.set(a, "url = 'http://agent.example'");
    reply = platform.post(path_of(a, "/a2a"), b.token, message("m"));
    CHECK(reply.status == 502);
  }
  CHECK(platform.count("SELECT count(*) FROM activity") <= 1);
}

TEST_CASE("messages cannot forge the platform's own rows") {
  Platform platform;
  const Member parent = platform.add("parent");
  const Member a = platform.add("a", parent.id);
  for (const std::string method :
       {"broadcast", "chat_upload_receive", "delegate_result", "notify"}) {
    for (const std::string& token : {parent.token, a.token, platform.admin}) {
      const auto reply =
          platform.post(path_of(a, "/a2a"), token,
                        R"({"method":")" + method + R"(","params":{"message":{"parts":[]}}})");
      CHECK(reply.status == 400);
      CHECK(reply.error().find("\"" + method + "\" is reserved") != std::string::npos);
      CHECK(platform.post(path_of(a, "/a2a"), token, R"({"method":")" + method + "\"}").status ==
            400);
    }
  }
  CHECK(platform.count("SELECT count(*) FROM activity") == 0);
}

TEST_CASE("a removed workspace's token is refused") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  platform.set(a, "status = 'removed'");
  CHECK(platform.post(path_of(b, "/a2a"), a.token, message("m")).status == 401);
}

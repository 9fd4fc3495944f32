#include <doctest/doctest.h>

#include "base/text/text.hpp"
#include "server/platform.hpp"

using namespace molecule;
using test::Member;
using test::path_of;
using test::Platform;

namespace {

std::string task(const std::string& target, std::string_view extra = "") {
  return R"({"target_id":")" + target + R"(","task":"count the stars")" + std::string(extra) + "}";
}

std::vector<std::string> recorded_events(Platform& platform) {
  std::vector<std::string> found;
  const auto rows =
      platform.database.rows("SELECT event_type, payload FROM events ORDER BY seq", 2);
  for (const auto& row : rows) found.push_back(row[0] + " " + row[1]);
  return found;
}

std::vector<std::string> statuses(Platform& platform, const Member& member) {
  std::vector<std::string> found;
  const auto list = platform.get(path_of(member, "/delegations"), member.token);
  for (const json::Value row : list.items()) found.emplace_back(row["status"].string_or(""));
  return found;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a delegation reaches the target's inbox and stays queued, not completed") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  const auto reply = platform.post(path_of(a, "/delegate"), a.token, task(b.id));
  CHECK(reply.status == 202);
  CHECK(reply["status"].string_or("") == "delegated");
  CHECK(reply["target_id"].string_or("") == b.id);
  CHECK_FALSE(reply["warning"].present());
  const std::string id(reply["delegation_id"].string_or(""));
  CHECK(is_uuid(id));

  const auto inbox = platform.get(path_of(b, "/activity?type=a2a_receive"), b.token);
  REQUIRE(inbox.items().size() == 1);
  CHECK(inbox.items()[0]["source_id"].string_or("") == a.id);
  const json::Value message = inbox.items()[0]["request_body"]["params"]["message"];
  CHECK(message["messageId"].string_or("") == id);
  CHECK(message["metadata"]["delegation_id"].string_or("") == id);
  CHECK(message["parts"].dump() == R"([{"type":"text","text":"count the stars"}])");

  const auto list = platform.get(path_of(a, "/delegations"), a.token);
  REQUIRE(list.items().size() == 2);
  for (const json::Value row : list.items()) {
    CHECK(row["delegation_id"].string_or("") == id);
    CHECK(row["status"].string_or("") == "queued");
    CHECK(row["type"].string_or("") == "delegation");
    CHECK(row["target_id"].string_or("") == b.id);
    CHECK_FALSE(row["error"].present());
  }
  CHECK(list.items()[1]["summary"].string_or("") == "Delegating to " + b.id);
  CHECK(list.items()[0]["response_preview"].string_or("") ==
        R"({"delegation_id":")" + id + R"(","queued":true})");
  // The delegating workspace gets no message from itself.
  CHECK(platform.get(path_of(a, "/activity?type=a2a_receive"), a.token).items().empty());
  const Texts events = recorded_events(platform);
  REQUIRE(events.size() == 3);
  CHECK(events[0] == R"(DELEGATION_SENT {"delegation_id":")" + id + R"(","target_id":")" + b.id +
                         R"(","task_preview":"count the stars"})");
  CHECK(events[1].ends_with(R"("status":"dispatched"})"));
  CHECK(events[2].ends_with(R"("status":"queued"})"));
}

TEST_CASE("a delegation that cannot be delivered fails visibly") {
  Platform platform;
  const Member root = platform.add("root");
  const Member a = platform.add("a", root.id);
  const Member b = platform.add("b", root.id);
  const Member c = platform.add("c", b.id);
  Member target = c;
  std::string error = "access denied: workspaces cannot communicate per hierarchy rules";
  SUBCASE("no permission") {}
  SUBCASE("no such target") {
    target.id = test::unknown_id;
  }
  SUBCASE("no budget") {
    target = b;
    platform.set(b, "budget_limit = 0");
    error = "workspace budget limit exceeded";
  }
  SUBCASE("no inbox") {
    target = b;
    platform.set(b, "delivery_mode = 'push'");
    error = "workspace has no URL";
  }
  SUBCASE("removed") {
    target = b;
    platform.set(b, "status = 'removed'");
    error = "workspace removed";
  }
  const auto reply = platform.post(path_of(a, "/delegate"), a.token, task(target.id));
  CHECK(reply.status == 202);
  CHECK(reply["warning"].string_or("") == "delegation failed: " + error);
  const auto list = platform.get(path_of(a, "/delegations"), a.token);
  REQUIRE(list.items().size() == 2);
  for (const json::Value row : list.items()) {
    CHECK(row["status"].string_or("") == "failed");
    CHECK(row["error"].string_or("") == error);
    CHECK(row["delegation_id"].string_or("") == reply["delegation_id"].string_or("?"));
  }
  CHECK(recorded_events(platform).back().starts_with("DELEGATION_FAILED"));
  CHECK(platform.count("SELECT count(*) FROM activity WHERE activity_type = 'a2a_receive'") == 0);
}

TEST_CASE("a key allows one delegation, unless it failed") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  const Member c = platform.add("c");
  const std::string key = R"(,"idempotency_key":"k")";
  const auto first = platform.post(path_of(a, "/delegate"), a.token, task(b.id, key));
  const auto again = platform.post(path_of(a, "/delegate"), a.token, task(c.id, key));
  CHECK(again.status == 200);
  CHECK(again.text == R"({"delegation_id":")" + std::string(first["delegation_id"].string_or("")) +
                          R"(","status":"queued","target_id":")" + b.id +
                          R"(","idempotent_hit":true})");
  CHECK(platform.get(path_of(b, "/activity"), b.token).items().size() == 1);
  CHECK(platform.get(path_of(c, "/activity"), c.token).items().empty());
  // Keys are per workspace; without a key nothing counts as a repetition.
  CHECK(platform.post(path_of(c, "/delegate"), c.token, task(b.id, key)).status == 202);
  CHECK(platform.post(path_of(a, "/delegate"), a.token, task(b.id)).status == 202);
  CHECK(platform.post(path_of(a, "/delegate"), a.token, task(b.id)).status == 202);

  const std::string update =
      "/delegations/" + std::string(first["delegation_id"].string_or("")) + "/update";
  platform.post(path_of(a, update), a.token, R"({"status":"failed","error":"no"})");
  const auto retried = platform.post(path_of(a, "/delegate"), a.token, task(b.id, key));
  CHECK(retried.status == 202);
  CHECK(retried["delegation_id"].string_or("") != first["delegation_id"].string_or(""));
}

TEST_CASE("the refusals of delegate") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  const auto refused = [&](const std::string& body) {
    const auto reply = platform.post(path_of(a, "/delegate"), a.token, body);
    CHECK_MESSAGE(reply.status == 400, body);
    return std::string(reply.error());
  };
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string("{}"), R"({"target_id":")" + b.id + "\"}",
        R"({"task":"x"})" + std::string(), R"({"target_id":")" + b.id + R"(","task":5})",
        task(b.id, R"(,"idempotency_key":[])")}) {
    CHECK(refused(body) == "invalid delegation request");
  }
  CHECK(refused(task("nonsense")) == "target_id must be a valid UUID");
  CHECK(refused(task(a.id)) == "self-delegation not permitted");
  std::string upper = a.id;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  CHECK(refused(task(upper)) == "self-delegation not permitted");
  CHECK(platform.post(path_of(a, "/delegate"), b.token, task(b.id)).status == 401);
  const std::string unknown = "/workspaces/" + std::string(test::unknown_id) + "/delegate";
  CHECK(platform.post(unknown, platform.admin, task(b.id)).status == 404);
  CHECK(platform.count("SELECT count(*) FROM activity") == 0);
}

TEST_CASE("a recorded delegation is completed by its agent, once") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  const std::string record = R"({"target_id":")" + b.id + R"(","task":"t","delegation_id":"d-1"})";
  for (int i = 0; i < 2; ++i) {
    const auto reply = platform.post(path_of(a, "/delegations/record"), a.token, record);
    CHECK(reply.status == 202);
    CHECK(reply.text == R"({"delegation_id":"d-1","status":"recorded"})");
  }
  CHECK(statuses(platform, a) == Texts{"dispatched"});
  // Recording a delegation sends nothing.
  CHECK(platform.get(path_of(b, "/activity"), b.token).items().empty());

  const std::string answer(400, 'a');
  for (int i = 0; i < 2; ++i) {
    const auto reply =
        platform.post(path_of(a, "/delegations/d-1/update"), a.token,
                      R"({"status":"completed","response_preview":")" + answer + "\"}");
    CHECK(reply.status == 200);
    CHECK(reply.text == R"({"status":"completed","delegation_id":"d-1"})");
  }
  const auto list = platform.get(path_of(a, "/delegations"), a.token);
  REQUIRE(list.items().size() == 2);
  CHECK(list.items()[0]["response_preview"].string_or("") == std::string(300, 'a') + "...");
  CHECK(list.items()[0]["delegation_id"].string_or("") == "d-1");
  CHECK(list.items()[1]["status"].string_or("") == "completed");
  CHECK(recorded_events(platform).back().starts_with("DELEGATION_COMPLETE"));

  // Another workspace's delegation, and an unknown one: nothing happens (platform-api.md 5.4).
  CHECK(platform.post(path_of(b, "/delegations/d-1/update"), b.token, R"({"status":"failed"})")
            .status == 200);
  CHECK(statuses(platform, a) == Texts{"completed", "completed"});
  CHECK(statuses(platform, b) == Texts{"completed"});  // as the one that received it
}

TEST_CASE("the refusals of record and update") {
  Platform platform;
  const Member a = platform.add("a");
  const auto record = [&](std::string_view body) {
    return platform.post(path_of(a, "/delegations/record"), a.token, body);
  };
  for (const char* body : {"", "{}", R"({"target_id":"x","task":"t"})",
                           R"({"target_id":"x","task":"t","delegation_id":7})"}) {
    CHECK(record(body).status == 400);
    CHECK(record(body).error() == "invalid request body");
  }
  CHECK(record(R"({"target_id":"x","task":"t","delegation_id":"d"})").error() ==
        "target_id must be a valid UUID");
  const auto update = [&](std::string_view body) {
    return platform.post(path_of(a, "/delegations/d/update"), a.token, body);
  };
  for (const char* body : {"", "{}", R"({"status":5})", R"({"status":"failed","error":{}})"}) {
    CHECK(update(body).error() == "invalid request body");
  }
  CHECK(update(R"({"status":"stuck"})").error() == "status must be 'completed' or 'failed'");
  CHECK(platform.get(path_of(a, "/delegations"), "").status == 401);
}

TEST_CASE("previews are cut at characters") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  const std::string text = std::string(99, 'x') + "\xF0\x9F\x98\x80 tail";
  platform.post(path_of(a, "/delegate"), a.token,
                R"({"target_id":")" + b.id + R"(","task":")" + text + "\"}");
  CHECK(recorded_events(platform)[0].find(std::string(99, 'x') + "...") != std::string::npos);
  for (const std::string& event : recorded_events(platform)) CHECK(text::valid_utf8(event));
}

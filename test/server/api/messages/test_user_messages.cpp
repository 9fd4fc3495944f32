#include <doctest/doctest.h>

#include "base/text/text.hpp"
#include "server/platform.hpp"

using namespace molecule;
using test::Member;
using test::path_of;
using test::Platform;

TEST_CASE("an agent's message to the user is shown at once and stored") {
  Platform platform;
  const Member a = platform.add("Ann");
  std::vector<std::string> frames;
  platform.events.subscribe(
      {.caller = server::Caller::admin(),
       .send = [&frames](const std::string& frame) { frames.push_back(frame); },
       .revoke = [] {}});
  const auto reply = platform.post(
      path_of(a, "/notify"), a.token,
      R"({"message":"done","attachments":[{"uri":"u","name":"n","mimeType":"t/x","size":3},
          {"uri":"v","name":"o","size":0}]})");
  CHECK(reply.status == 200);
  CHECK(reply.text == R"({"status":"sent"})");
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].find("AGENT_MESSAGE") != std::string::npos);
  CHECK(frames[0].find(R"("message":"done","workspace_id":")" + a.id + R"(","name":"Ann")") !=
        std::string::npos);

  const auto page = platform.get(path_of(a, "/activity?source=canvas&type=a2a_receive"), a.token);
  REQUIRE(page.items().size() == 1);
  const json::Value row = page.items()[0];
  CHECK(row["method"].string_or("") == "notify");
  CHECK(row["summary"].string_or("") == "Agent message: done");
  CHECK(row["source_id"].is_null());
  CHECK(row["target_id"].is_null());
  CHECK_FALSE(row["request_body"].present());
  CHECK(row["response_body"].dump() ==
        R"({"result":"done","parts":[{"kind":"file","file":{"uri":"u","name":"n",)"
        R"("mimeType":"t/x","size":3}},{"kind":"file","file":{"uri":"v","name":"o"}}]})");
}

TEST_CASE("a notification that is sent again with its id is shown and stored once") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  int shown = 0;
  platform.events.subscribe({.caller = server::Caller::admin(),
                             .send = [&shown](const std::string&) { ++shown; },
                             .revoke = [] {}});
  const auto notify = [&](const Member& member, std::string_view id) {
    const auto reply = platform.post(path_of(member, "/notify"), member.token,
                                     R"({"message":"hi","messageId":")" + std::string(id) + "\"}");
    CHECK(reply.status == 200);
    CHECK(reply.text == R"({"status":"sent"})");
  };
  const auto kept = [&] { return platform.count("SELECT count(*) FROM activity"); };
  for (int i = 0; i < 3; ++i) notify(a, "1");
  CHECK(kept() == 1);
  CHECK(shown == 1);
  notify(a, "2");
  notify(b, "1");
  CHECK(kept() == 3);
  // Without an id each one is new, and so is the user's message with the same id.
  for (int i = 0; i < 2; ++i) notify(a, "");
  CHECK(kept() == 5);
  CHECK(platform
            .post(path_of(a, "/a2a"), platform.admin,
                  R"({"method":"message/send","params":{"message":{"messageId":"1","parts":[]}}})")
            .status == 200);
  CHECK(kept() == 6);
  CHECK(platform.post(path_of(a, "/notify"), a.token, R"({"message":"hi","messageId":1})").status ==
        400);
}

TEST_CASE("a long message is cut at a character, and only in the summary") {
  Platform platform;
  const Member a = platform.add("a");
  const std::string text = std::string(79, 'x') + "\xC3\xA9 and more";
  platform.post(path_of(a, "/notify"), a.token, R"({"message":")" + text + "\"}");
  const auto page = platform.get(path_of(a, "/activity"), a.token);
  const json::Value row = page.items().at(0);
  CHECK(row["summary"].string_or("") == "Agent message: " + std::string(79, 'x') + "\xE2\x80\xA6");
  CHECK(row["response_body"]["result"].string_or("") == text);
}

TEST_CASE("the refusals of notify") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  const auto refused = [&](std::string_view body) {
    const auto reply = platform.post(path_of(a, "/notify"), a.token, body);
    CHECK_MESSAGE(reply.status == 400, body);
    return std::string(reply.error());
  };
  for (const char* body :
       {"", "{", "null", "[]", "{}", R"({"message":""})", R"({"message":5})",
        R"({"message":"x","attachments":{}})", R"({"message":"x","attachments":["y"]})",
        R"({"message":"x","attachments":[{"uri":1,"name":"n"}]})",
        R"({"message":"x","attachments":[{"uri":"u","name":"n","size":1.5}]})",
        R"({"message":"x","attachments":[{"uri":"u","name":"n","mimeType":[]}]})"}) {
    CHECK(refused(body) == "message is required");
  }
  CHECK(refused(R"({"message":"x","attachments":[{"uri":"u"}]})") ==
        "attachment[0]: uri and name are required");
  CHECK(
      refused(R"({"message":"x","attachments":[{"uri":"u","name":"n"},{"uri":"","name":"n"}]})") ==
      "attachment[1]: uri and name are required");
  std::string many = R"({"uri":"u","name":"n"})";
  for (int i = 0; i < 10; ++i) many += R"(,{"uri":"u","name":"n"})";
  CHECK(refused(R"({"message":"x","attachments":[)" + many + "]}") ==
        "at most 10 attachments per message");
  CHECK(platform.post(path_of(a, "/notify"), "", R"({"message":"x"})").status == 401);
  CHECK(platform.post(path_of(a, "/notify"), b.token, R"({"message":"x"})").status == 401);
  for (const std::string& id : {std::string(test::unknown_id), std::string("nonsense"), b.id}) {
    platform.set(b, "status = 'removed'");
    const auto reply =
        platform.post("/workspaces/" + id + "/notify", platform.admin, R"({"message":"x"})");
    CHECK(reply.status == 404);
    CHECK(reply.error() == "workspace not found");
  }
  CHECK(platform.count("SELECT count(*) FROM activity") == 0);
}

TEST_CASE("no files for workspaces that do not poll and have no server") {
  Platform platform;
  const Member a = platform.add("a", std::nullopt, "push");
  const auto upload = platform.post(path_of(a, "/chat/uploads"), a.token, "");
  CHECK(upload.status == 503);
  CHECK(upload.error() == "workspace url not registered yet");
  CHECK(platform.post(path_of(a, "/chat/uploads"), "", "").status == 401);
  CHECK(platform.post("/workspaces/x/chat/uploads", platform.admin, "").error() ==
        "invalid workspace ID");
  CHECK(platform
            .post("/workspaces/" + std::string(test::unknown_id) + "/chat/uploads", platform.admin,
                  "")
            .status == 404);

  const auto download = [&](const std::string& query) {
    const auto reply = platform.get(path_of(a, "/chat/download" + query), a.token);
    return std::to_string(reply.status) + " " + std::string(reply.error());
  };
  CHECK(download("") == "400 path query required");
  CHECK(download("?path=") == "400 path query required");
  CHECK(download("?path=workspace/x") == "400 path must be absolute");
  for (const char* path : {"/etc/passwd", "/workspaces", "/", "/homes/x", "/../home"}) {
    CHECK(download(std::string("?path=") + path) ==
          "400 path must be under /configs, /workspace, /home, or /plugins");
  }
  for (const char* path : {"/workspace/../etc", "/home//x", "/home/./x", "/home/x/", "/home/.."}) {
    CHECK(download(std::string("?path=") + path) == "400 invalid path");
  }
  for (const char* path : {"/workspace", "/home/..x/y", "/configs/a b"}) {
    CHECK(download(std::string("?path=") + path) == "503 workspace url not registered yet");
  }
  platform.set(a, "url = 'http://agent.example'");
  CHECK(download("?path=/workspace/x").starts_with("502 workspace unreachable"));
  platform.set(a, "delivery_mode = 'poll'");
  CHECK(download("?path=/workspace/x").starts_with("422 "));
}

TEST_CASE("a broadcast reaches the permitted workspaces, and no others") {
  Platform platform;
  const Member parent = platform.add("parent");
  const Member a = platform.add("a", parent.id);
  const Member b = platform.add("b", parent.id);
  const Member push = platform.add("push", parent.id, "push");
  const Member removed = platform.add("removed", parent.id);
  platform.set(removed, "status = 'removed'");
  const Member other = platform.add("other");
  const Member nephew = platform.add("nephew", other.id);
  platform.set(a, "broadcast_enabled = (1 = 1)");
  const auto reply = platform.post(path_of(a, "/broadcast"), a.token, R"({"message":"all hands"})");
  CHECK(reply.status == 200);
  CHECK(reply.text == R"({"status":"sent","delivered":3})");
  for (const Member& member : {parent, b, push}) {
    const auto page =
        platform.get(path_of(member, "/activity?type=broadcast_receive"), member.token);
    REQUIRE(page.items().size() == 1);
    const json::Value row = page.items()[0];
    CHECK(row["method"].string_or("") == "broadcast");
    CHECK(row["source_id"].string_or("") == a.id);
    CHECK(row["request_body"]["params"]["message"]["parts"].items().at(0)["text"].string_or("") ==
          "all hands");
  }
  CHECK(platform.count("SELECT count(*) FROM activity") == 4);
  CHECK(platform.get(path_of(a, "/activity?type=broadcast_sent"), a.token).items().size() == 1);

  for (const char* body : {"", "[]", "{}", R"({"message":""})", R"({"message":1})"}) {
    CHECK(platform.post(path_of(a, "/broadcast"), a.token, body).error() == "message is required");
  }
  CHECK(platform.post(path_of(a, "/broadcast"), b.token, R"({"message":"m"})").status == 401);
  CHECK(platform.post(path_of(a, "/broadcast"), "", R"({"message":"m"})").status == 401);
}

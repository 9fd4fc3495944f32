#include <doctest/doctest.h>
#include <fmt/format.h>

#include "server/platform.hpp"

using namespace molecule;
using test::Member;
using test::path_of;
using test::Platform;

namespace {

void say(Platform& platform, const Member& to, std::string_view text, std::string_view file = "") {
  platform.post(path_of(to, "/a2a"), platform.admin,
                fmt::format(R"({{"method":"message/send","params":{{"message":{{"parts":[)"
                            R"({{"kind":"text","text":"{}"}}{}]}}}}}})",
                            text, file));
}

std::string contents(const test::Answer& answer) {
  std::string all;
  for (const json::Value message : answer["messages"].items()) {
    all.append(message["role"].string_or("?"))
        .append(":")
        .append(message["content"].string_or("?"))
        .append(" ");
  }
  return all;
}

}  // namespace

TEST_CASE("the chat with the user, oldest first, with files") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  say(platform, a, "hello", R"(,{"kind":"file","file":{"uri":"u","name":"n","size":3}})");
  platform.post(path_of(a, "/notify"), a.token,
                R"({"message":"hi","attachments":[{"uri":"v","name":"o","mimeType":"t/x"}]})");
  platform.headers = {{"X-Workspace-ID", b.id}};
  platform.post(path_of(a, "/a2a"), b.token,
                R"({"method":"message/send","params":{"message":{"parts":[]}}})");
  platform.headers.clear();

  const auto all = platform.get(path_of(a, "/chat-history"), a.token);
  CHECK(all.status == 200);
  CHECK(contents(all) == "user:hello agent:hi ");
  CHECK(all["reached_end"].boolean() == true);
  const json::Value first = all["messages"].items().at(0);
  CHECK(first["id"].string_or("").ends_with(":user"));
  CHECK(first["attachments"].dump() == R"([{"uri":"u","name":"n","size":3}])");
  CHECK(all["messages"].items().at(1)["attachments"].dump() ==
        R"([{"uri":"v","name":"o","mimeType":"t/x"}])");
}

TEST_CASE("pages of the chat follow each other without a gap") {
  Platform platform;
  const Member a = platform.add("a");
  for (int i = 0; i < 7; ++i) say(platform, a, std::to_string(i));
  std::string seen;
  std::string before;
  bool end = false;
  for (int page = 0; page < 10 && !end; ++page) {
    const auto answer =
        platform.get(path_of(a, "/chat-history?limit=3&before_ts=" + before), a.token);
    seen = contents(answer) + seen;
    before = answer["messages"].items().at(0)["timestamp"].string_or("");
    end = answer["reached_end"].boolean().value();
    CHECK(answer["messages"].items().size() <= 3);
  }
  CHECK(seen == "user:0 user:1 user:2 user:3 user:4 user:5 user:6 ");
}

TEST_CASE("the parameters and permissions of the chat history") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  CHECK(platform.get(path_of(a, "/chat-history?before_ts=yesterday"), a.token).status == 400);
  for (const char* limit : {"", "0", "-1", "x", "99999999999999999999", "1e3"}) {
    const auto answer =
        platform.get(path_of(a, std::string("/chat-history?limit=") + limit), a.token);
    CHECK(answer.text == R"({"messages":[],"reached_end":true})");
  }
  CHECK(platform.get(path_of(a, "/chat-history"), b.token).status == 401);
  CHECK(platform.get(path_of(a, "/chat-history"), "").status == 401);
}

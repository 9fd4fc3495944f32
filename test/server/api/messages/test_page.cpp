// page.md 2: the chat and what is around it.

#include <doctest/doctest.h>

#include <vector>

#include "server/platform.hpp"

using namespace molecule;
using test::Answer;
using test::Member;
using test::path_of;
using test::Platform;

namespace {

/// The frames that the person's page gets.
struct Listener {
  explicit Listener(Platform& platform) {
    platform.events.subscribe(
        {.caller = server::Caller::admin(),
         .send = [this](const std::string& frame) { frames.push_back(frame); },
         .revoke = [] {}});
  }
  /// The newest of that name; empty if there is none.
  std::string newest(const std::string& event) const {
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
      if (frame->find("\"event\":\"" + event + "\"") != std::string::npos) return *frame;
    }
    return {};
  }
  std::vector<std::string> frames;
};

std::string said(const std::string& text, const std::string& more = "") {
  return R"({"method":"message/send","params":{"message":{"role":"user","messageId":"m-)" + text +
         R"(","parts":[{"kind":"text","text":")" + text + R"("}])" + more + "}}}";
}

std::string task_to(const Member& peer) {
  return R"({"task":"dig","target_id":")" + peer.id + "\"}";
}

}  // namespace

TEST_CASE("the person sees what an agent fetched and handled, and the other browser's message") {
  Platform platform;
  const Member agent = platform.add("agent");
  Listener page(platform);
  CHECK(platform.post(path_of(agent, "/a2a"), platform.admin, said("hello")).status == 200);
  CHECK(page.newest("USER_MESSAGE").find(R"("messageId":"m-hello")") != std::string::npos);
  const auto marks = [&] { return platform.get(path_of(agent, "/chat-marks"), platform.admin); };
  CHECK(marks()["fetched_seq"].integer() == 0);
  // The person's own look is none.
  platform.get(path_of(agent, "/activity?type=a2a_receive"), platform.admin);
  CHECK(page.newest("MESSAGE_FETCHED").empty());
  platform.get(path_of(agent, "/activity?type=a2a_receive"), agent.token);
  CHECK(page.newest("MESSAGE_FETCHED").find(R"("seq":1)") != std::string::npos);
  CHECK(marks()["fetched_seq"].integer() == 1);
  CHECK(marks()["handled_seq"].integer() == 0);
  platform.post(path_of(agent, "/activity/ack"), agent.token, R"({"acked_seq":1})");
  CHECK(page.newest("MESSAGE_HANDLED").find(R"("seq":1)") != std::string::npos);
  CHECK(marks()["handled_seq"].integer() == 1);
  const std::size_t frames = page.frames.size();
  platform.post(path_of(agent, "/activity/ack"), agent.token, R"({"acked_seq":1})");
  platform.get(path_of(agent, "/activity?type=a2a_receive"), agent.token);
  CHECK(page.frames.size() == frames);
  platform.sweep(0);
  CHECK(platform.count("SELECT max(fetched_seq) FROM workspaces") == 1);
  const auto bubbles = platform.get(path_of(agent, "/chat-history"), platform.admin);
  CHECK(bubbles["messages"].items()[0]["message_id"].string() == "m-hello");
  CHECK(bubbles["messages"].items()[0]["seq"].integer() == 1);

  const auto told = platform.post(path_of(agent, "/notify"), agent.token,
                                  R"({"message":"x","messageId":"n-1","in_reply_to":"m-hello"})");
  CHECK(told.status == 200);
  CHECK(page.newest("AGENT_MESSAGE").find(R"("message_id":"n-1","in_reply_to":"m-hello")") !=
        std::string::npos);
  const auto answered = platform.get(path_of(agent, "/chat-history"), platform.admin);
  const json::Value answer = answered["messages"].items().back();
  CHECK(answer["role"].string() == "agent");
  CHECK(answer["message_id"].string() == "n-1");
  CHECK(answer["in_reply_to"].string() == "m-hello");
  CHECK(platform.post(path_of(agent, "/chat-session/new"), platform.admin, "{}").status == 200);
  CHECK(!page.newest("SESSION_RESET").empty());
}

TEST_CASE("a delegation to a polling peer completes when the peer answers it") {
  Platform platform;
  const Member lead = platform.add("lead");
  const Member peer = platform.add("peer");
  const Member other = platform.add("other");
  const Answer made = platform.post(path_of(lead, "/delegate"), lead.token, task_to(peer));
  REQUIRE(made.status == 202);
  const std::string id(made["delegation_id"].string_or(""));
  const auto details = [&] {
    return platform.get(path_of(lead, "/delegations/" + id), lead.token);
  };
  CHECK(details()["status"].string() == "queued");
  CHECK(details()["task"].string() == "dig");
  const std::string answers = R"(,"metadata":{"in_reply_to":")" + id + "\"}";
  // Only who was asked can answer.
  platform.post(path_of(lead, "/a2a"), other.token, said("forged", answers));
  CHECK(details()["status"].string() == "queued");
  platform.post(path_of(lead, "/a2a"), peer.token, said("unrelated"));
  CHECK(details()["status"].string() == "queued");
  const std::string text(400, 'x');
  platform.post(path_of(lead, "/a2a"), peer.token, said(text, answers));
  CHECK(details()["status"].string() == "completed");
  CHECK(details()["response"].string() == text);
  CHECK(details()["response_preview"].string_or("").size() < text.size());
  CHECK(platform.count("SELECT count(*) FROM events WHERE event_type = 'DELEGATION_COMPLETE'") ==
        1);
  // A second answer changes nothing.
  platform.post(path_of(lead, "/a2a"), peer.token, said("again", answers));
  CHECK(details()["response"].string() == text);
  CHECK(platform.get(path_of(lead, "/delegations/nothing"), lead.token).status == 404);
}

TEST_CASE("search looks into what was said, not into its format") {
  Platform platform;
  const Member agent = platform.add("Gärtner");
  const Member other = platform.add("other");
  platform.post(path_of(agent, "/a2a"), platform.admin, said("the treasure is under the elm"));
  platform.post(path_of(other, "/a2a"), platform.admin, said("ein Baum, 樹, ist hier"));
  platform.post(path_of(other, "/memories"), other.token,
                R"({"content":"treasure maps lie","scope":"LOCAL"})");
  const auto all = [&](const std::string& query) {
    return platform.get("/search?q=" + query, platform.admin).items().size();
  };
  CHECK(all("treasure") == 2);
  CHECK(all("TREASURE") == 2);
  CHECK(all("樹") == 1);
  // The workspace, and the message to it.
  CHECK(all("Gärtner") == 2);
  CHECK(all("GÄRTNER") == 2);
  CHECK(all("messageId") == 0);
  CHECK(all("%") == 0);
  CHECK(all("") == 0);
  const auto own = [&](const std::string& query) {
    return platform.get(path_of(agent, "/session-search?q=" + query), agent.token);
  };
  CHECK(own("treasure").items().size() == 1);
  CHECK(own("treasure").items()[0]["request_body"].is_object());
  CHECK(own("").items().size() == 1);
}

TEST_CASE("a connection is shown without its token, and rotated") {
  Platform platform;
  const Member agent = platform.add("agent");
  const Answer shown = platform.get(path_of(agent, "/external/connection"), platform.admin);
  CHECK(shown["connection"]["auth_token"].string() == "");
  CHECK(shown["connection"]["platform_url"].string() == "http://127.0.0.1:8080");
  const Answer rotated = platform.post(path_of(agent, "/external/rotate"), platform.admin, "");
  const std::string token(rotated["connection"]["auth_token"].string_or(""));
  CHECK(token.size() == 43);
  CHECK(platform.get(path_of(agent, "/tokens"), agent.token).status == 401);
  CHECK(platform.get(path_of(agent, "/tokens"), token).status == 200);
  CHECK(platform.post("/admin/workspaces/" + agent.id + "/tokens", platform.admin, "").status ==
        201);
  platform.set(agent, "runtime = 'langgraph'");
  CHECK(platform.post(path_of(agent, "/external/rotate"), platform.admin, "").status == 400);
}

TEST_CASE("the viewport is kept, and a card that changes is told of") {
  Platform platform;
  CHECK(platform.get("/canvas/viewport", platform.admin).text == R"({"x":0,"y":0,"zoom":1})");
  const auto put = [&](const char* body) {
    return platform.ask("PUT", "/canvas/viewport", platform.admin, body).status;
  };
  CHECK(put(R"({"x":1.5,"y":-2,"zoom":0.5})") == 200);
  CHECK(put(R"({"x":1,"y":2})") == 400);
  CHECK(put(R"({"x":1,"y":2,"zoom":0})") == 400);
  CHECK(platform.get("/canvas/viewport", platform.admin)["y"].number() == -2);

  const Member agent = platform.add("agent");
  const auto enter = [&](const std::string& card) {
    platform.post(
        "/registry/register", agent.token,
        R"({"id":")" + agent.id + R"(","delivery_mode":"poll","agent_card":)" + card + "}");
    return platform.count("SELECT count(*) FROM events WHERE event_type = 'AGENT_CARD_UPDATED'");
  };
  CHECK(enter(R"({"name":"a"})") == 1);
  CHECK(enter(R"({"name":"a"})") == 1);
  CHECK(enter(R"({"name":"b"})") == 2);
}

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "platform/client.hpp"
#include "support/run.hpp"
#include "support/scripted_server.hpp"
#include "support/temporary_folder.hpp"

using namespace molecule;
using platform::Errc;

namespace {

const std::string own = "11111111-1111-4111-8111-111111111111";
const std::string file = "33333333-3333-4333-8333-333333333333";
const std::string own_path = "/workspaces/" + own;
const std::string content_call = "GET " + own_path + "/pending-uploads/" + file + "/content";

struct Setting {
  asio::io_context loop;
  test::ScriptedServer server{loop};
  net::HttpClient http{loop.get_executor()};
  platform::Client client{http,
                          {.platform_url = server.url(), .workspace_id = own, .org_id = ""},
                          [] { return std::string("tok-0123456789abcdef"); }};
  test::TemporaryFolder folder;

  template <class T>
  platform::Outcome<T> run(awaitable<platform::Outcome<T>> call) {
    return test::run(loop, std::move(call));
  }
  platform::Outcome<void> fetch(
      std::size_t most, int mode = O_WRONLY,
      platform::Client::WebPage page = platform::Client::WebPage::unexpected) {
    const int sink = ::open((folder.path() / "file").c_str(), mode | O_CREAT | O_TRUNC, 0600);
    auto outcome = run(client.fetch_upload(file, sink, most, page));
    ::close(sink);
    return outcome;
  }
  std::string fetched() const {
    std::ifstream stream(folder.path() / "file");
    return {std::istreambuf_iterator<char>(stream), {}};
  }
};

}  // namespace

TEST_CASE("a file is stored byte for byte, even if it looks like a web page") {
  Setting s;
  const std::string bytes("<html>\0\xFF{", 9);
  s.server.answer(content_call, 200, bytes);
  REQUIRE(s.fetch(100).ok());
  CHECK(s.fetched() == bytes);
}

TEST_CASE("lesson 2.16: a web page with status 200 is rejected, unless one is expected") {
  Setting s;
  using WebPage = platform::Client::WebPage;
  s.server.answer(content_call,
                  test::Canned{.body = "<html>sign in</html>", .content_type = "text/HTML"});
  const auto refused = s.fetch(100);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Errc::not_the_platform);
  CHECK(refused.error().message.find("HTML page") != std::string::npos);
  CHECK(s.fetch(100, O_WRONLY, WebPage::expected).ok());
}

TEST_CASE("files that are too large, expired, or cannot be written give errors") {
  Setting s;
  s.server.answer(content_call, 200, std::string(101, 'x'));
  CHECK(s.fetch(100).error().code == Errc::too_large);
  CHECK(s.fetch(101).ok());
  const auto unwritable = s.fetch(101, O_RDONLY);
  REQUIRE_FALSE(unwritable.ok());
  CHECK(unwritable.error().message.find("cannot write the file") != std::string::npos);
  s.server.answer(content_call, 404, R"({"error":"pending upload not found or expired"})");
  CHECK(s.fetch(100).error().code == Errc::not_found);
  CHECK(s.fetched().empty());
}

TEST_CASE("acknowledgements") {
  Setting s;
  const std::string ack = "POST " + own_path + "/pending-uploads/" + file + "/ack";
  s.server.answer(ack, 200, R"({"acked":true})");
  CHECK(s.run(s.client.ack_upload(file)).ok());
  s.server.answer(ack, 200, "<html>sign in</html>");
  CHECK(s.run(s.client.ack_upload(file)).error().code == Errc::not_the_platform);
  s.server.answer("POST " + own_path + "/activity/ack", 200, R"({"last_acked_seq":7})");
  CHECK(s.run(s.client.ack_activity(7)).ok());
  CHECK(s.server.requests().back().body == R"({"acked_seq":7})");
  s.server.answer("POST " + own_path + "/activity/ack", 404, "404 page not found");
  CHECK(s.run(s.client.ack_activity(8)).error().code == Errc::not_found);
}

TEST_CASE("card update, broadcast and chat history") {
  Setting s;
  s.server.answer("POST /registry/update-card", 200, R"({"status":"updated"})");
  CHECK(s.run(s.client.update_card(R"({"name":"n"})")).ok());
  CHECK(s.server.requests().back().body ==
        R"({"workspace_id":")" + own + R"(","agent_card":{"name":"n"}})");
  s.server.answer("POST " + own_path + "/broadcast", 200, R"({"status":"sent","delivered":3})");
  const auto sent = s.run(s.client.broadcast("all"));
  REQUIRE(sent.ok());
  CHECK(sent->delivered == 3);
  CHECK(s.server.requests().back().body == R"({"message":"all"})");
  s.server.answer("POST " + own_path + "/broadcast", 403,
                  R"({"error":"broadcast_disabled","hint":"ask an admin"})");
  const auto refused = s.run(s.client.broadcast("all"));
  CHECK(refused.error().code == Errc::forbidden);
  CHECK(refused.error().hint == "ask an admin");
  s.server.answer("GET " + own_path + "/chat-history", 200,
                  R"({"messages":[],"reached_end":true})");
  const auto history = s.run(s.client.chat_history(5, "2026-01-01T00:00:00Z"));
  REQUIRE(history.ok());
  CHECK(*history == R"({"messages":[],"reached_end":true})");
  s.server.answer("GET " + own_path + "/chat-history", 200, R"([])");
  CHECK(s.run(s.client.chat_history(5, "")).error().code == Errc::malformed);
}

TEST_CASE("fault F6: on a platform without chat history the rows of the chat serve") {
  Setting s;
  s.server.answer(
      "GET " + own_path + "/chat-history",
      test::Canned{.status = 404, .body = "404 page not found", .content_type = "text/plain"});
  s.server.answer("GET " + own_path + "/activity", 200, R"([
    {"id":"r4","method":"chat_upload_receive","created_at":"2026-05-01T10:00:04Z",
     "request_body":{"file_id":"f"},"source_id":null},
    {"id":"r3","method":"notify","created_at":"2026-05-01T10:00:03Z","source_id":null,
     "response_body":{"result":"done","parts":[{"kind":"file","file":{"uri":"u","name":"n"}}]}},
    {"id":"r2","method":"message/send","created_at":"2026-05-01T10:00:02Z","source_id":null,
     "request_body":"{\"params\":{\"message\":{\"parts\":[{\"text\":\"two\"}]}}}"},
    {"id":"r1","method":"message/send","created_at":"2026-05-01T10:00:01Z","source_id":null,
     "request_body":{"params":{"message":{"parts":[{"kind":"text","text":"one"}]}}}}])");
  const auto history = s.run(s.client.chat_history(20, ""));
  REQUIRE(history.ok());
  json::Document document;
  REQUIRE(document.parse(*history).ok());
  const auto messages = document.root()["messages"].items();
  REQUIRE(messages.size() == 3);
  CHECK(messages[0]["content"].string() == "one");
  CHECK(messages[0]["role"].string() == "user");
  CHECK(messages[1]["content"].string() == "two");
  CHECK(messages[2]["content"].string() == "done");
  CHECK(messages[2]["role"].string() == "agent");
  CHECK(messages[2]["attachments"].items().size() == 1);
  CHECK(document.root()["reached_end"].boolean() == true);
  CHECK(s.server.requests().back().target.find("source=canvas") != std::string::npos);
  // Old platforms ignore the time: the client sorts out what is not before it.
  const auto before = s.run(s.client.chat_history(1, "2026-05-01T10:00:03Z"));
  REQUIRE(before.ok());
  CHECK(before->find("two") != std::string::npos);
  CHECK(before->find("done") == std::string::npos);
  CHECK(before->find("one") == std::string::npos);
  CHECK(before->find(R"("reached_end":false)") != std::string::npos);
}

TEST_CASE("upload limits") {
  Setting s;
  const std::string call = "GET /uploads/limits";
  s.server.answer(call, 200, R"({"per_file_bytes":5,"per_request_bytes":6})");
  const auto limits = s.run(s.client.upload_limits());
  REQUIRE(limits.ok());
  CHECK(limits->file_bytes == 5);
  CHECK(limits->total_bytes == 6);
  CHECK(limits->files == 64);
  s.server.answer(call, 200, R"({"per_file_bytes":"many"})");
  CHECK(s.run(s.client.upload_limits()).error().code == Errc::malformed);
  s.server.forget(call);
  CHECK(s.run(s.client.upload_limits()).error().code == Errc::not_found);
}

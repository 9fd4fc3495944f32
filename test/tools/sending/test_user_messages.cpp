#include <sys/stat.h>

#include <fstream>

#include "base/json/writer.hpp"
#include "tools/fixture.hpp"

using namespace molecule;
using namespace molecule::test;

namespace {

const std::string upload_call = "POST " + own_path + "/chat/uploads";
const std::string limits_call = "GET /uploads/limits";
const std::string notify_call = "POST " + own_path + "/notify";

std::string with(const std::vector<std::string>& paths) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("message", "hello");
    auto list = o.array("attachments");
    for (const std::string& path : paths) list.value(path);
  }
  return std::move(writer).take();
}

std::string file(const Fixture& fixture, const std::string& name, std::int64_t size) {
  const std::filesystem::path path = fixture.folder / name;
  std::ofstream(path).put('x');
  std::filesystem::resize_file(path, static_cast<std::uintmax_t>(size));
  return path.string();
}

}  // namespace

TEST_CASE("a message goes to the user") {
  Fixture fixture;
  fixture.server.answer(notify_call, 200, R"({"status":"sent"})");
  const mcp::ToolResult result = fixture.call("send_message_to_user", R"({"message":"hello"})");
  CHECK(result.text == "Message sent to user.");
  const json::Document sent = parsed(fixture.server.requests().back().body);
  CHECK(sent.root()["message"].string_or("") == "hello");
  CHECK(is_uuid(sent.root()["messageId"].string_or("")));
  CHECK_FALSE(sent.root()["attachments"].present());
  CHECK(fixture.call("send_message_to_user", with({})).text == "Message sent to user.");
}

TEST_CASE("files are uploaded first, and the message has their uris") {
  Fixture fixture;
  fixture.server.answer(upload_call, 200,
                        R"({"files":[{"uri":"u:1","name":"a.PNG"},{"uri":"u:2","name":"b"}]})");
  fixture.server.answer(notify_call, 200, R"({"status":"sent"})");
  const std::string a = file(fixture, "a.PNG", 4);
  const std::string b = file(fixture, "b", 0);
  const mcp::ToolResult result = fixture.call("send_message_to_user", with({a, b}));
  CHECK(result.text == "Message sent to user with 2 attachments.");
  const std::string form = fixture.server.requests(upload_call).front().body;
  CHECK(contains(form, R"(name="files"; filename="a.PNG")"));
  CHECK(contains(form, "Content-Type: image/png"));
  CHECK(contains(form, "Content-Type: application/octet-stream"));
  CHECK(contains(fixture.server.requests(notify_call).front().body, R"({"uri":"u:1")"));
}

TEST_CASE("a file that cannot be sent stops everything before any I/O") {
  Fixture fixture;
  const std::string good = file(fixture, "good.txt", 3);
  const std::string fifo = (fixture.folder / "fifo").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const std::string socket_like = "/dev/null";
  const std::vector<std::pair<std::string, std::string>> rows{
      {"relative.txt", "absolute"},
      {(fixture.folder / "missing").string(), "No such file"},
      {fixture.folder.path().string(), "not a regular file"},
      {fifo, "not a regular file"},
      {socket_like, "not a regular file"},
      {std::string("/tmp/a\0b", 8), "not valid"},
  };
  for (const auto& [path, part] : rows) {
    CAPTURE(path);
    const mcp::ToolResult result = fixture.call("send_message_to_user", with({good, path}));
    CHECK(result.is_error);
    CHECK(contains(result.text, "Nothing was sent"));
    CHECK(contains(result.text, part));
  }
  CHECK(fixture.server.requests().empty());
}

TEST_CASE("files over the platform's limits are not sent, and the text names the limit") {
  Fixture fixture;
  const std::string big = file(fixture, "big.bin", (25 << 20) + 1);
  const std::string a = file(fixture, "a", 20 << 20);
  const auto refused = [&](const std::vector<std::string>& paths) {
    const mcp::ToolResult result = fixture.call("send_message_to_user", with(paths));
    CHECK(result.is_error);
    CHECK(contains(result.text, "Nothing was sent"));
    CHECK(fixture.server.requests(upload_call).empty());
    return result.text;
  };
  // The defaults for older platforms, which state none, and for one that states nonsense.
  for (int i = 0; i < 2; ++i) {
    CHECK(contains(refused({big}), "big.bin cannot be attached: it has more than 25 MiB"));
    CHECK(contains(refused({a, a, a}), "50 MiB"));
    CHECK(contains(refused(std::vector<std::string>(65, a)), "at most 64"));
    fixture.server.answer(limits_call, 200, R"({"per_file_bytes":-1})");
  }
  fixture.server.forget(limits_call);
  fixture.server.answer(limits_call, 200,
                        R"({"per_file_bytes":104857600,"per_request_bytes":31457280,)"
                        R"("max_attachments_per_message":2})");
  CHECK(contains(refused({a, a}), "more than 30 MiB"));
  CHECK(contains(refused({a, a, a}), "at most 2"));
  fixture.server.forget(limits_call);
  fixture.server.answer(limits_call, 200, R"({"per_file_bytes":1572864})");
  CHECK(contains(refused({a}), "more than 1.5 MiB"));
}

TEST_CASE("a larger file is sent if the platform accepts it") {
  Fixture fixture;
  fixture.server.answer(limits_call, 200,
                        R"({"per_file_bytes":104857600,"per_request_bytes":104857600})");
  fixture.server.answer(upload_call, 200, R"({"files":[{"uri":"u:1","name":"big.bin"}]})");
  fixture.server.answer(notify_call, 200, R"({"status":"sent"})");
  const std::string big = file(fixture, "big.bin", (25 << 20) + 1);
  CHECK_FALSE(fixture.call("send_message_to_user", with({big})).is_error);
  CHECK(fixture.server.requests(upload_call).front().body.size() > 25 << 20);
}

TEST_CASE("if the platform refuses the files, nothing is sent") {
  for (const int status : {413, 422, 500, 503}) {
    Fixture fixture;
    fixture.server.answer(upload_call, status, R"({"error":"workspace url not registered yet"})");
    const mcp::ToolResult result =
        fixture.call("send_message_to_user", with({file(fixture, "a", 1)}));
    CHECK(result.is_error);
    CHECK(contains(result.text, "Nothing was sent"));
    CHECK(contains(result.text, "not registered yet"));
    CHECK(fixture.server.requests(notify_call).empty());
  }
  Fixture fixture;
  fixture.server.answer(upload_call, 200, R"({"files":[]})");
  const mcp::ToolResult result =
      fixture.call("send_message_to_user", with({file(fixture, "a", 1)}));
  CHECK(result.is_error);
  CHECK(contains(result.text, "0 of 1"));
  CHECK(fixture.server.requests(notify_call).empty());
}

TEST_CASE("refused notes say why") {
  const auto text = [](int status, const std::string& body) {
    Fixture fixture;
    fixture.server.answer(notify_call, status, body);
    const mcp::ToolResult result = fixture.call("send_message_to_user", R"({"message":"m"})");
    CHECK(result.is_error);
    return result.text;
  };
  CHECK(contains(text(403, R"({"error":"talk_to_user_disabled","hint":"ask Ann"})"), "ask Ann"));
  CHECK(contains(text(404, R"({"error":"workspace not found"})"), "WORKSPACE_ID"));
  CHECK(contains(text(401, "{}"), "Tokens tab"));
}

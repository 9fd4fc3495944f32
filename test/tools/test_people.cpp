#include <sys/stat.h>

#include <fstream>

#include "house.hpp"
#include "molecule/base/json_writer.hpp"

using namespace molecule;
using namespace molecule::test;

namespace {

const std::string upload_call = "POST " + own_path + "/chat/uploads";
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

std::string file(const House& house, const std::string& name, std::int64_t size) {
  const std::filesystem::path path = house.folder / name;
  std::ofstream(path).put('x');
  std::filesystem::resize_file(path, static_cast<std::uintmax_t>(size));
  return path.string();
}

}  // namespace

TEST_CASE("a message goes to the user") {
  House house;
  house.server.answer(notify_call, 200, R"({"status":"sent"})");
  const mcp::ToolResult result = house.call("send_message_to_user", R"({"message":"hello"})");
  CHECK(result.text == "Message sent to user.");
  CHECK(house.server.requests().back().body == R"({"message":"hello"})");
  CHECK(house.call("send_message_to_user", with({})).text == "Message sent to user.");
}

TEST_CASE("files go up first and their uris with the message") {
  House house;
  house.server.answer(upload_call, 200,
                      R"({"files":[{"uri":"u:1","name":"a.PNG"},{"uri":"u:2","name":"b"}]})");
  house.server.answer(notify_call, 200, R"({"status":"sent"})");
  const std::string a = file(house, "a.PNG", 4);
  const std::string b = file(house, "b", 0);
  const mcp::ToolResult result = house.call("send_message_to_user", with({a, b}));
  CHECK(result.text == "Message sent to user with 2 attachments.");
  const std::string form = house.server.requests(upload_call).front().body;
  CHECK(contains(form, R"(name="files"; filename="a.PNG")"));
  CHECK(contains(form, "Content-Type: image/png"));
  CHECK(contains(form, "Content-Type: application/octet-stream"));
  CHECK(contains(house.server.requests(notify_call).front().body, R"({"uri":"u:1")"));
}

TEST_CASE("a file that cannot be sent stops everything before any I/O") {
  House house;
  const std::string good = file(house, "good.txt", 3);
  const std::string big = file(house, "big.bin", (25 << 20) + 1);
  const std::string fifo = (house.folder / "fifo").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const std::string socket_like = "/dev/null";
  const std::vector<std::pair<std::string, std::string>> rows{
      {"relative.txt", "absolute"},
      {(house.folder / "missing").string(), "No such file"},
      {house.folder.string(), "not a regular file"},
      {fifo, "not a regular file"},
      {socket_like, "not a regular file"},
      {big, "25 MiB"},
      {std::string("/tmp/a\0b", 8), "not valid"},
  };
  for (const auto& [path, part] : rows) {
    CAPTURE(path);
    const mcp::ToolResult result = house.call("send_message_to_user", with({good, path}));
    CHECK(result.is_error);
    CHECK(contains(result.text, "Nothing was sent"));
    CHECK(contains(result.text, part));
  }
  const std::string a = file(house, "a", 20 << 20);
  CHECK(contains(house.call("send_message_to_user", with({a, a, a})).text, "50 MiB"));
  CHECK(contains(house.call("send_message_to_user", with(std::vector<std::string>(65, good))).text,
                 "at most 64"));
  CHECK(house.server.requests().empty());
}

TEST_CASE("files that the platform does not take: nothing is sent") {
  for (const int status : {413, 422, 500, 503}) {
    House house;
    house.server.answer(upload_call, status, R"({"error":"workspace url not registered yet"})");
    const mcp::ToolResult result = house.call("send_message_to_user", with({file(house, "a", 1)}));
    CHECK(result.is_error);
    CHECK(contains(result.text, "Nothing was sent"));
    CHECK(contains(result.text, "not registered yet"));
    CHECK(house.server.requests(notify_call).empty());
  }
  House house;
  house.server.answer(upload_call, 200, R"({"files":[]})");
  const mcp::ToolResult result = house.call("send_message_to_user", with({file(house, "a", 1)}));
  CHECK(result.is_error);
  CHECK(contains(result.text, "0 of 1"));
  CHECK(house.server.requests(notify_call).empty());
}

TEST_CASE("refused notes say why") {
  const auto text = [](int status, const std::string& body) {
    House house;
    house.server.answer(notify_call, status, body);
    const mcp::ToolResult result = house.call("send_message_to_user", R"({"message":"m"})");
    CHECK(result.is_error);
    return result.text;
  };
  CHECK(contains(text(403, R"({"error":"talk_to_user_disabled","hint":"ask Ann"})"), "ask Ann"));
  CHECK(contains(text(404, R"({"error":"workspace not found"})"), "WORKSPACE_ID"));
  CHECK(contains(text(401, "{}"), "Tokens tab"));
}

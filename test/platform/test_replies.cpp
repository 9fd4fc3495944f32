#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/writer.hpp"
#include "platform/replies.hpp"

using namespace molecule;

namespace {

template <class T>
std::optional<T> read(std::optional<T> (*reader)(json::Document&), std::string_view text) {
  json::Document document;
  if (!text.empty()) REQUIRE(document.parse(text).ok());
  return reader(document);
}

platform::A2aReply a2a(std::string_view text) {
  auto reply = read(platform::read_a2a, text);
  REQUIRE(reply.has_value());
  return *reply;
}

}  // namespace

TEST_CASE("every reader rejects replies that do not match") {
  const std::vector<std::string_view> shapes{"",
                                             "null",
                                             "true",
                                             "17",
                                             "-0.5",
                                             R"("text")",
                                             "[]",
                                             "{}",
                                             "[null]",
                                             "[[]]",
                                             "[1]",
                                             "[{}]",
                                             R"({"status":1})",
                                             R"({"status":null})",
                                             R"({"files":{}})",
                                             R"({"files":[1]})",
                                             R"({"files":[{"uri":"","name":"x"}]})",
                                             R"({"delegation_id":{}})",
                                             R"({"id":5})",
                                             R"({"result":1e999999})",
                                             R"({"queued":"true"})",
                                             R"({"status":["queued"]})"};
  for (const std::string_view shape : shapes) {
    if (shape.find("1e999999") != std::string_view::npos) continue;
    CAPTURE(shape);
    CHECK_FALSE(read(platform::read_registration, shape));
    CHECK_FALSE(read(platform::read_heartbeat, shape));
    CHECK_FALSE(read(platform::read_workspace, shape));
    CHECK_FALSE(read(platform::read_a2a, shape));
    CHECK_FALSE(read(platform::read_uploads, shape));
    CHECK_FALSE(read(platform::read_delegation, shape));
    CHECK_FALSE(read(platform::read_memory, shape));
    if (!shape.starts_with('[')) {
      CHECK_FALSE(read(platform::read_peers, shape));
      CHECK_FALSE(read(platform::read_rows, shape));
      CHECK_FALSE(read(platform::read_memories, shape));
    } else {
      // Invalid peers and memories are skipped, so that one bad item does not hide the others.
      CHECK(read(platform::read_peers, shape)->empty());
      CHECK(read(platform::read_memories, shape)->empty());
    }
    if (!shape.empty()) CHECK_FALSE(read(platform::read_status, shape));
  }
}

TEST_CASE("secrets that are not safe in a header are dropped") {
  auto full = read(platform::read_registration,
                   R"({"status":"registered","delivery_mode":"poll","auth_token":"abc-DEF_1",)"
                   R"("platform_inbound_secret":"s3"})");
  REQUIRE(full);
  CHECK(full->delivery_mode == "poll");
  CHECK(full->auth_token == "abc-DEF_1");
  CHECK(full->inbound_secret == "s3");
  for (const char* bad : {R"("")", R"("a b")", R"("a\nX: y")", R"("é")", "null", "7", "{}"}) {
    CAPTURE(bad);
    auto heartbeat = read(platform::read_heartbeat,
                          std::string(R"({"status":"ok","platform_inbound_secret":)") + bad + "}");
    REQUIRE(heartbeat);
    CHECK_FALSE(heartbeat->inbound_secret);
  }
  const std::string huge(100'000, 'a');
  CHECK_FALSE(read(platform::read_heartbeat,
                   R"({"status":"ok","platform_inbound_secret":")" + huge + R"("})")
                  ->inbound_secret);
}

TEST_CASE("peers may have null members, and their names are sanitised") {
  auto peers = read(platform::read_peers,
                    R"([{"id":"1","name":"Zoë 张\u202e\n","role":null,"status":"online","tier":1},)"
                    R"({"id":"2"},{"name":"no id"},7])");
  REQUIRE(peers);
  REQUIRE(peers->size() == 2);
  CHECK(peers->at(0).name == "Zoë 张");
  CHECK(peers->at(0).role.empty());
  CHECK(peers->at(1).name.empty());
}

TEST_CASE("a peer's answer is found wherever peers put it") {
  CHECK(a2a(R"({"result":{"parts":[{"kind":"text","text":"a"},{"type":"text","text":"b"},)"
            R"({"kind":"file","file":{"uri":"no"}},{"text":"c"},{"kind":"text","text":7}]}})")
            .text == "a\nb\nc");
  CHECK(a2a(R"({"result":{"artifacts":[{"parts":[{"kind":"text","text":"a"}]},{},)"
            R"({"parts":[{"type":"text","text":"b"}]}]}})")
            .text == "a\nb");
  CHECK(a2a(R"({"result":{"message":{"parts":[{"kind":"text","text":"m"}]}}})").text == "m");
  CHECK(a2a(R"({"result":{"status":{"message":{"parts":[{"kind":"text","text":"s"}]}}}})").text ==
        "s");
  CHECK(a2a(R"({"result":"plain"})").text == "plain");
  CHECK(a2a(R"({"result":null})").text.empty());
  CHECK(a2a(R"({"result":{"x": 1}})").text == R"({"x":1})");
  CHECK(a2a(R"({"result":"a\u0007\u202eb"})").text == "ab");
  CHECK_FALSE(a2a(R"({"result":"plain","error":null})").failed);
}

TEST_CASE("a queued reply is neither an answer nor a failure") {
  for (const char* body :
       {R"({"delivery_mode":"poll","method":"message/send","status":"queued"})",
        R"({"queued":true,"queue_id":"q","queue_depth":3,"message":"busy"})",
        R"({"status":"queued","delivery_mode":"push-async","method":"message/send"})"}) {
    CHECK(a2a(body).queued);
    CHECK_FALSE(a2a(body).failed);
  }
  // A peer whose answer contains the word "queued" has answered.
  CHECK_FALSE(a2a(R"({"status":"queued","result":"done"})").queued);
}

TEST_CASE("a peer's error is a failure with its text") {
  const auto rpc = a2a(R"({"jsonrpc":"2.0","error":{"code":-32000,"message":"no \u001btools"}})");
  CHECK(rpc.failed);
  CHECK(rpc.text == "no tools");
  CHECK(a2a(R"({"error":"broken"})").text == "broken");
  CHECK(a2a(R"({"error":{"code":1}})").text == R"({"code":1})");
  const auto task = a2a(R"({"result":{"status":{"state":"failed","message":{"parts":)"
                        R"([{"kind":"text","text":"why"}]}}}})");
  CHECK(task.failed);
  CHECK(task.text == "why");
}

TEST_CASE("rows outlive the document they were read from") {
  auto page = read(platform::read_rows, R"([{"id":"a"},{"id":"b"}])");
  REQUIRE(page);
  const platform::ActivityPage moved = std::move(*page);
  REQUIRE(moved.rows.size() == 2);
  CHECK(moved.rows[1]["id"].string_or("") == "b");
}

TEST_CASE("uploads, delegations, memories and plain statuses are read") {
  auto files =
      read(platform::read_uploads, R"({"files":[{"uri":"u","name":"n","mimeType":"m","size":5},)"
                                   R"({"uri":"v","name":"o"}]})");
  REQUIRE(files);
  CHECK(files->at(0).size == 5);
  CHECK_FALSE(files->at(1).size);
  auto hit = read(platform::read_delegation,
                  R"({"delegation_id":"d","status":"completed","idempotent_hit":true})");
  REQUIRE(hit);
  CHECK(hit->idempotent_hit);
  CHECK(read(platform::read_memory, R"({"id":"m","scope":"TEAM"})")->scope == "TEAM");
  CHECK(read(platform::read_status, R"({"status":"sent"})") == "sent");
  CHECK(read(platform::read_status, "") == "");
}

TEST_CASE("upload limits are clamped, and one invalid limit rejects the reply") {
  const auto limits = [](std::string_view text) {
    return read(platform::read_upload_limits, text);
  };
  auto said =
      limits(R"({"per_file_bytes":7,"per_request_bytes":9,"max_attachments_per_message":3})");
  REQUIRE(said);
  CHECK(said->file_bytes == 7);
  CHECK(said->total_bytes == 9);
  CHECK(said->files == 3);
  const platform::UploadLimits usual;
  CHECK(limits("{}")->file_bytes == usual.file_bytes);
  CHECK(limits(R"({"per_file_bytes":7})")->total_bytes == usual.total_bytes);
  auto absurd = limits(R"({"per_file_bytes":9223372036854775807,)"
                       R"("per_request_bytes":9223372036854775807,)"
                       R"("max_attachments_per_message":9223372036854775807})");
  REQUIRE(absurd);
  CHECK(absurd->file_bytes == 1 << 30);
  CHECK(absurd->total_bytes == 1 << 30);
  CHECK(absurd->files == 64);
  for (const char* wrong : {"0", "-1", "1.5", "\"9\"", "null", "[]", "1e99"}) {
    CAPTURE(wrong);
    for (const char* name :
         {"per_file_bytes", "per_request_bytes", "max_attachments_per_message"}) {
      CHECK_FALSE(limits(std::string(R"({")") + name + R"(":)" + wrong + "}"));
    }
  }
  for (const char* shape : {"", "[]", "17", "null"}) CHECK_FALSE(limits(shape));
}

TEST_CASE("fault D3: JSON from the platform is sanitised string by string and stays JSON") {
  // Separators become line breaks, which must not stand raw within a JSON string.
  constexpr std::string_view hidden = "a\u2028b\u200bc\u0085d\U000E0041e\rf";
  const std::string row =
      R"({"id":"x","na\u200bme":)" + json::quoted(hidden) + R"(,"n":[1,null,true]})";
  for (const auto& [reader, text] :
       {std::pair{&platform::read_workspace, row},
        std::pair{&platform::read_history, R"({"messages":[)" + row + "]}"}}) {
    const auto clean = read(reader, text);
    REQUIRE(clean);
    CHECK(clean->find('\n') == std::string::npos);
    json::Document document;
    REQUIRE(document.parse(*clean));
    const json::Value found = reader == platform::read_workspace
                                  ? document.root()
                                  : document.root()["messages"].items()[0];
    CHECK(found["name"].string() == "a\nbc\nde\nf");
    CHECK(found["n"].dump() == "[1,null,true]");
  }
}

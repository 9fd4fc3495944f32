#include <doctest/doctest.h>

#include "base/json/reader.hpp"
#include "base/uuid.hpp"
#include "server/api/input.hpp"
#include "server/api/messages/envelope.hpp"

using namespace molecule;

namespace {

struct Normal {
  explicit Normal(std::string_view body) {
    const auto result = server::normalise_envelope(body);
    if (result.ok()) {
      envelope = *result;
      document.parse(envelope.text).ok();
    } else {
      status = result.error().status;
      refusal = result.error().body;
    }
  }
  json::Value root() const { return document.root(); }
  json::Value message() const { return root()["params"]["message"]; }

  int status = 200;
  std::string refusal;
  server::Envelope envelope;
  json::Document document;
};

std::string nested(int levels) {
  return R"({"jsonrpc":"2.0","x":)" + std::string(levels, '[') + std::string(levels, ']') + "}";
}

}  // namespace

TEST_CASE("a bare request gets the JSON-RPC frame and loses its other members") {
  const Normal normal(R"({"id":7,"extra":1,"method":"message/send","params":{"message":
      {"role":"user","parts":[{"type":"text","text":"hi"}]},"n":9007199254740993}})");
  CHECK(normal.root()["jsonrpc"].string_or("") == "2.0");
  CHECK(is_uuid(normal.root()["id"].string_or("")));
  CHECK_FALSE(normal.root()["extra"].present());
  CHECK(normal.envelope.method == "message/send");
  CHECK(normal.root()["params"]["n"].integer() == 9007199254740993);
  CHECK(is_uuid(normal.message()["messageId"].string_or("")));
  CHECK(normal.message()["parts"].items().at(0)["type"].string_or("") == "text");
  CHECK_FALSE(normal.envelope.message_id.has_value());
}

TEST_CASE("a framed request is kept, its messageId known") {
  const Normal normal(R"({"jsonrpc":"2.0","id":"a","method":"m","other":[1],
      "params":{"message":{"messageId":"m1","parts":[],"content":"kept"}}})");
  CHECK(normal.envelope.text ==
        R"({"jsonrpc":"2.0","id":"a","method":"m","other":[1],)"
        R"("params":{"message":{"messageId":"m1","parts":[],"content":"kept"}}})");
  CHECK(normal.envelope.message_id == "m1");
}

TEST_CASE("a repeated member counts once, so that all readers agree") {
  const Normal normal(R"({"jsonrpc":"2.0","method":"a","method":"b",
      "params":{"message":{"parts":[1],"parts":[2]},"message":{"parts":[3]}}})");
  CHECK(normal.envelope.text.find("\"b\"") == std::string::npos);
  CHECK(normal.envelope.text.find("[2]") == std::string::npos);
  CHECK(normal.envelope.text.find("[3]") == std::string::npos);
}

TEST_CASE("older content becomes parts") {
  const Normal text(R"({"params":{"message":{"content":"a \"b\""}}})");
  CHECK(text.message()["parts"].items().at(0)["kind"].string_or("") == "text");
  CHECK(text.message()["parts"].items().at(0)["text"].string_or("") == "a \"b\"");
  CHECK_FALSE(text.message()["content"].present());
  const Normal list(R"({"params":{"message":{"content":[{"kind":"file"}]}}})");
  CHECK(list.message()["parts"].dump() == R"([{"kind":"file"}])");
}

TEST_CASE("a message of the wrong shape is refused") {
  for (const char* content : {"null", "5", "{}", "true"}) {
    const Normal normal(std::string(R"({"params":{"message":{"content":)") + content + "}}}");
    CHECK(normal.status == 400);
    CHECK(normal.refusal.find("invalid params.message.content type") != std::string::npos);
    CHECK(normal.refusal.find("hint") != std::string::npos);
  }
  const Normal neither(R"({"params":{"message":{}}})");
  CHECK(neither.status == 400);
  CHECK(neither.refusal.find("must contain either 'parts' (v0.3) or 'content'") !=
        std::string::npos);
}

TEST_CASE("a request without a message passes, whatever its params are") {
  for (const char* body : {R"({"method":"initialize"})", R"({"params":5})", R"({"params":[]})",
                           R"({"params":{"message":"text"}})", R"({"method":7})", "{}", "null"}) {
    const Normal normal(body);
    CHECK(normal.status == 200);
    CHECK(normal.root().is_object());
    CHECK(normal.root()["jsonrpc"].string_or("") == "2.0");
  }
  CHECK(Normal("null").root()["method"].is_null());
  CHECK(Normal("null").root()["params"].is_null());
  CHECK(Normal(R"({"method":7})").envelope.method.empty());
}

TEST_CASE("anything but a JSON object is refused") {
  for (const char* body : {"", " ", "[]", "5", "\"x\"", "{", "{}{}", "{\"a\":1e999}", "\xFF",
                           "{\"a\":\"\xC3\"}", "nul"}) {
    const Normal normal(body);
    CHECK(normal.status == 400);
    CHECK(normal.refusal == R"({"error":"invalid JSON"})");
  }
}

TEST_CASE("an envelope that would break its reader's page is refused") {
  CHECK(Normal(nested(server::max_nesting - 1)).status == 200);
  CHECK(Normal(nested(server::max_nesting)).status == 400);
  CHECK(Normal(nested(1000)).status == 400);
  CHECK(Normal(nested(100'000)).status == 400);
  CHECK(server::nesting(R"({"a":"[[[[\"[[","b":[{}]})") == 3);
}

TEST_CASE("a huge method is cut in the log, at a character") {
  const Normal normal(R"({"method":")" + std::string(199, 'a') + "\xC3\xA9" + "\"}");
  CHECK(normal.envelope.method == std::string(199, 'a'));
}

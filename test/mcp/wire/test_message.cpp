#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "mcp/revision.hpp"
#include "mcp/wire/envelope.hpp"
#include "mcp/wire/message.hpp"

namespace molecule::mcp {

namespace {

struct Read {
  std::string padded;
  json::Document document;
  Message message;
  explicit Read(std::string_view text) : padded(std::string(text) + std::string(64, '\n')) {
    message = read_message(document, std::string_view(padded).substr(0, text.size()));
  }
};

std::string id_of(std::string_view id) {
  const Read read(R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"method":"m"})");
  return read.message.shape == Shape::request ? read.message.id : "<refused>";
}

}  // namespace

TEST_CASE("an id keeps its exact spelling") {
  for (const char* id : {"0", "-0", "1", "-7", "9007199254740993", "9223372036854775807",
                         "18446744073709551615", R"("")", R"("a")", R"("\u0061\/\"\\")",
                         R"("\ud83d\ude00")", "\"\xF0\x9F\x98\x80\"", R"("\ud800")", R"("1")"}) {
    CHECK(id_of(id) == id);
  }
}

TEST_CASE("only strings and integers are ids") {
  for (const char* id : {"null", "1.5", "1.0", "1e2", "true", "{}", "[]", "[1]"}) {
    CHECK(id_of(id) == "<refused>");
  }
}

TEST_CASE("an id member spelled with escapes cannot corrupt the answer") {
  const Read read(R"({"jsonrpc":"2.0","\u0069d":"a\n","id":{"x":1},"method":"m"})");
  CHECK(read.message.id == R"("a\n")");
  const Read other(R"({"jsonrpc":"2.0","\u0069d":"a\n","id":7,"method":"m"})");
  CHECK(other.message.id == R"("a\n")");
}

TEST_CASE("two ids have the same key exactly if they are equal") {
  json::Document a;
  json::Document b;
  const auto same = [&](const char* one, const char* two) {
    return id_key(*a.parse(one)) == id_key(*b.parse(two));
  };
  CHECK(same(R"("a")", R"("\u0061")"));
  CHECK(same("0", "-0"));
  CHECK_FALSE(same("1", R"("1")"));
  CHECK(id_key(*a.parse("1.5")).empty());
  CHECK(id_key(*a.parse("null")).empty());
}

TEST_CASE("requests, notifications, responses and batches are recognised") {
  CHECK(Read(R"({"jsonrpc":"2.0","id":1,"method":"m"})").message.shape == Shape::request);
  CHECK(Read(R"({"jsonrpc":"2.0","method":"m"})").message.shape == Shape::notification);
  CHECK(Read(R"({"jsonrpc":"2.0","id":1,"result":{}})").message.shape == Shape::response);
  CHECK(Read(R"({"jsonrpc":"2.0","id":1,"error":{}})").message.shape == Shape::response);
  CHECK(Read(R"([])").message.shape == Shape::batch);
  CHECK(Read(R"({"jsonrpc":"2.0","id":1})").message.shape == Shape::invalid);
}

TEST_CASE("an array is split into its elements") {
  using Texts = std::vector<std::string_view>;
  CHECK(split_array("[]") == Texts{});
  CHECK(split_array(" [ ] ") == Texts{});
  CHECK(split_array(R"([1])") == Texts{"1"});
  CHECK(split_array(R"([{"a":[1,2]},"],\"[",[]])") == Texts{R"({"a":[1,2]})", R"("],\"[")", "[]"});
  CHECK(split_array(R"(["\\",1])") == Texts{R"("\\")", "1"});
}

TEST_CASE("version negotiation never fails") {
  for (const char* name : {"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"}) {
    CHECK(name_of(negotiate(name)) == name);
  }
  CHECK(name_of(negotiate("2026-07-28")) == "2025-11-25");
  CHECK(name_of(negotiate("")) == "2025-11-25");
}

TEST_CASE("a stateless request states the terms it is served under") {
  const auto read = [](std::string_view meta) {
    const Read request(R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":)" +
                       std::string(meta) + "}}");
    return read_envelope(request.message);
  };
  const std::string version = R"("io.modelcontextprotocol/protocolVersion":"2026-07-28")";
  const std::string can = R"("io.modelcontextprotocol/clientCapabilities":{"sampling":{}})";
  const std::string level = R"("io.modelcontextprotocol/logLevel":)";
  const auto whole = read("{" + version + "," + can + "," + level + R"("notice"})");
  REQUIRE(whole.ok());
  CHECK(whole->revision == Revision::r2026_07_28);
  CHECK(whole->host.has("sampling"));
  CHECK_FALSE(whole->host.has("roots"));
  CHECK(whole->log_level == LogLevel::notice);
  CHECK_FALSE(read("{" + version + "," + can + "}")->log_level.has_value());
  for (const std::string& meta :
       {std::string("null"), "{" + version + "}", "{" + can + "}",
        R"({"io.modelcontextprotocol/protocolVersion":20260728,)" + can + "}",
        "{" + version + R"(,"io.modelcontextprotocol/clientCapabilities":[]})",
        "{" + version + "," + can + "," + level + "\"loud\"}"}) {
    const auto broken = read(meta);
    REQUIRE_FALSE(broken.ok());
    CHECK(broken.error().code == -32602);
  }
}

}  // namespace molecule::mcp

#include "tools/fixture.hpp"

using namespace molecule;
using namespace molecule::test;

namespace {
const std::string store_call = "POST " + own_path + "/memories";
const std::string search_call = "GET " + own_path + "/memories";
}  // namespace

TEST_CASE("commit_memory stores, LOCAL by default") {
  Fixture fixture;
  fixture.server.answer(store_call, 201, R"({"id":"m-1","scope":"LOCAL","namespace":"general"})");
  CHECK(fixture.call("commit_memory", R"({"content":"c"})").text ==
        R"({"success":true,"id":"m-1","scope":"LOCAL"})");
  CHECK(fixture.server.requests().back().body == R"({"content":"c","scope":"LOCAL"})");
  fixture.call("commit_memory", R"({"content":"c","scope":"team"})");
  CHECK(fixture.server.requests().back().body == R"({"content":"c","scope":"TEAM"})");
}

TEST_CASE("secrets are redacted before they are sent") {
  Fixture fixture;
  fixture.server.answer(store_call, 201, R"({"id":"m-1"})");
  fixture.call("commit_memory",
               R"({"content":"the key is sk-abcdefghijklmnopqrstuvwxyz, AKIAABCDEFGHIJKLMNOP"})");
  const std::string body = fixture.server.requests().back().body;
  CHECK(contains(body, "the key is [REDACTED], [REDACTED]"));
  CHECK_FALSE(contains(body, "sk-abc"));
}

TEST_CASE("GLOBAL from a child says what to use instead") {
  Fixture fixture;
  fixture.server.answer(store_call, 403,
                        R"({"error":"only root workspaces can write GLOBAL memories"})");
  const mcp::ToolResult result =
      fixture.call("commit_memory", R"({"content":"c","scope":"GLOBAL"})");
  CHECK(result.is_error);
  CHECK(contains(result.text, "use scope TEAM or LOCAL"));
}

TEST_CASE("recall_memory gives one line per memory, or says that there is none") {
  Fixture fixture;
  fixture.server.answer(search_call, 200,
                        R"([{"id":"1","scope":"LOCAL","content":"a\u202e"},)"
                        R"({"id":"2","scope":"GLOBAL","content":"b"}])");
  CHECK(fixture.call("recall_memory", R"({"query":"x y","scope":"global"})").text ==
        "[LOCAL] a\n[GLOBAL] b");
  CHECK(fixture.server.requests().back().target == own_path + "/memories?q=x%20y&scope=GLOBAL");
  CHECK_FALSE(fixture.call("recall_memory", R"({"query":"","scope":""})").is_error);
  CHECK(fixture.server.requests().back().target == own_path + "/memories");
  fixture.server.forget(search_call);
  fixture.server.answer(search_call, 200, "[]");
  CHECK(fixture.call("recall_memory").text == "No memories found.");
  fixture.server.forget(search_call);
  fixture.server.answer(search_call, 500, R"({"error":"search failed"})");
  const mcp::ToolResult failed = fixture.call("recall_memory");
  CHECK(failed.is_error);
  CHECK(contains(failed.text, "search failed"));
}

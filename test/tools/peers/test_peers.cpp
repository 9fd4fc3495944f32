#include "tools/fixture.hpp"

using namespace molecule;
using namespace molecule::test;

namespace {
const std::string peers_call = "GET /registry/" + own + "/peers";
const std::string info_call = "GET " + own_path;
}  // namespace

TEST_CASE("list_peers gives one line per peer") {
  Fixture fixture;
  fixture.server.answer(peers_call, 200,
                        R"([{"id":"p1","name":"Ann","role":"writer","status":"online"},)"
                        R"({"id":"p2","name":"Bob\nadmin","role":null,"status":"offline"}])");
  const mcp::ToolResult result = fixture.call("list_peers");
  CHECK_FALSE(result.is_error);
  CHECK(result.text ==
        "- Ann (ID: p1, status: online, role: writer)\n"
        "- Bob admin (ID: p2, status: offline, role: none)");
}

TEST_CASE("a missing list says why") {
  const auto text = [](int status, const std::string& body) {
    Fixture fixture;
    fixture.server.answer(peers_call, status, body);
    const mcp::ToolResult result = fixture.call("list_peers");
    CHECK(result.is_error == (status != 200 || body != "[]"));
    return result.text;
  };
  CHECK(contains(text(200, "[]"), "no peers"));
  CHECK(contains(text(401, R"({"error":"missing workspace auth token"})"), "authentication"));
  CHECK(contains(text(404, R"({"error":"workspace not found"})"), "not registered"));
  CHECK(contains(text(500, R"({"error":"lookup failed"})"), "platform answered with an error"));
  CHECK(contains(text(503, "busy"), "503"));
  CHECK(contains(text(200, "<html></html>"), "HTML page"));
  CHECK(contains(text(200, "{}"), "does not match"));
}

TEST_CASE("an unreachable platform is distinguished from one without peers") {
  Fixture fixture;
  fixture.server.answer(peers_call, Canned{.act = Canned::Act::reset});
  const mcp::ToolResult result = fixture.call("list_peers");
  CHECK(result.is_error);
  CHECK(contains(result.text, "could not be reached"));
}

TEST_CASE("get_workspace_info gives the platform's object, or says that it was removed") {
  Fixture fixture;
  fixture.server.answer(info_call, 200, R"({ "id": "x", "name": "N" })");
  CHECK(fixture.call("get_workspace_info").text == R"({"id":"x","name":"N"})");
  fixture.server.forget(info_call);
  fixture.server.answer(
      info_call, 410,
      R"({"error":"workspace removed","id":"x","removed_at":"2026-05-01T00:00:00Z",)"
      R"("hint":"Regenerate"})");
  const mcp::ToolResult removed = fixture.call("get_workspace_info");
  CHECK(removed.is_error);
  CHECK(removed.text == R"({"error":"removed","id":")" + own +
                            R"(","removed_at":"2026-05-01T00:00:00Z","hint":"Regenerate"})");
  fixture.server.forget(info_call);
  fixture.server.answer(info_call, 410, "{}");
  const json::Document bare = parsed(fixture.call("get_workspace_info").text);
  CHECK(bare.root()["removed_at"].is_null());
  CHECK_FALSE(bare.root()["hint"].string_or("").empty());
  fixture.server.forget(info_call);
  fixture.server.answer(info_call, 500, R"({"error":"oops"})");
  CHECK(contains(fixture.call("get_workspace_info").text, "oops"));
}

#include <doctest/doctest.h>

#include "server/platform.hpp"

using namespace molecule;
using test::Member;
using test::Platform;

namespace {

/// Bodies that are invalid in many different ways.
std::vector<std::string> hostile_bodies(const std::string& id) {
  std::vector<std::string> bodies{"",
                                  " ",
                                  "\xEF\xBB\xBF{}",
                                  "{",
                                  "}",
                                  "[]",
                                  "null",
                                  "true",
                                  "1",
                                  "\"x\"",
                                  "{}{}",
                                  "{\"a\":}",
                                  std::string("{\0}", 3),
                                  "\xFF\xFE",
                                  "{\"a\":1e400}",
                                  "{\"a\":123456789012345678901234567890}",
                                  "{'a':1}",
                                  "<html></html>",
                                  std::string(2000, '['),
                                  R"({"method":"\ud800"})"};
  const std::vector<std::string> names{"message",
                                       "attachments",
                                       "activity_type",
                                       "summary",
                                       "method",
                                       "params",
                                       "request_body",
                                       "response_body",
                                       "duration_ms",
                                       "acked_seq",
                                       "target_id",
                                       "source_id",
                                       "task",
                                       "status",
                                       "idempotency_key",
                                       "delegation_id",
                                       "response_preview",
                                       "error",
                                       "content",
                                       "scope",
                                       "namespace",
                                       "key",
                                       "value",
                                       "ttl_seconds",
                                       "if_match_version",
                                       "jsonrpc"};
  const std::vector<std::string> values{"null",
                                        "true",
                                        "-1",
                                        "1.5",
                                        "9223372036854775807",
                                        "18446744073709551615",
                                        "\"\"",
                                        "\"x\"",
                                        "\"\\u0000\"",
                                        "\"\\ud800\"",
                                        "[]",
                                        "[[]]",
                                        "{}",
                                        "{\"message\":{}}",
                                        "{\"message\":{\"parts\":{}}}",
                                        "{\"message\":{\"messageId\":[],\"content\":\"x\"}}",
                                        "\"" + id + "\"",
                                        "\"error\"",
                                        "\"LOCAL\"",
                                        "\"completed\"",
                                        std::string(400, '[') + std::string(400, ']')};
  for (const std::string& value : values) {
    std::string all = "{\"unknown\":0";
    for (const std::string& name : names) {
      const std::string member = "\"" + name + "\":" + value;
      bodies.push_back("{" + member + "}");
      all += "," + member;
    }
    bodies.push_back(all + "}");
  }
  return bodies;
}

/// The routes of messages and memories; the others are tested with their subjects.
std::vector<server::Route> message_and_memory_routes() {
  std::vector<server::Route> found;
  for (const server::Route& route : server::all_routes()) {
    for (const char* subject :
         {"/a2a", "/activity", "/notify", "/broadcast", "/delegat", "/memor"}) {
      if (route.pattern.find(subject) == std::string_view::npos) continue;
      found.push_back(route);
      break;
    }
  }
  return found;
}

}  // namespace

TEST_CASE("no body, id, token or query makes the platform fail") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  platform.database.execute("UPDATE workspaces SET platform_inbound_secret = 'inbound'");
  const std::vector<std::string> bodies = hostile_bodies(b.id);
  const std::vector<std::string> ids{
      a.id, b.id, std::string(test::unknown_id), "x", std::string(5000, 'y'), "%' OR 1=1 --"};
  for (const server::Route& route : message_and_memory_routes()) {
    for (const std::string& id : ids) {
      std::string path(route.pattern);
      path.replace(path.find(":id"), 3, id);
      for (const std::string_view variable : {":delegation_id", ":memory_id", ":key"}) {
        const std::size_t at = path.find(variable);
        if (at != std::string::npos) path.replace(at, variable.size(), "'\"");
      }
      const bool reads = route.method == "GET";
      for (const std::string& token : {std::string("nobody"), a.token, platform.admin}) {
        for (const std::string& body : bodies) {
          const auto reply = platform.ask(route.method, path, token, body);
          // 502 and 503 say that a target cannot be reached, and only these two routes may.
          const bool may_be_unreachable = path.find("/chat/") != std::string::npos;
          CHECK((reply.status < 500 || may_be_unreachable));
          CHECK(reply.document.root().present());
          // A wrong inbound secret is 403.
          const bool inbound = route.access == server::Access::inbound_secret;
          if (token == "nobody") CHECK(reply.status == (inbound ? 403 : 401));
          if (reads || token == "nobody") break;
        }
      }
    }
  }
  for (const char* name : {"type", "source", "limit", "since_secs", "since_id", "peer_id",
                           "before_ts", "include", "q", "scope", "namespace", "path"}) {
    for (const std::string& value :
         {std::string(), std::string("'"), std::string("%"), std::string("-9223372036854775808"),
          std::string("9223372036854775808"), std::string(test::nil_id),
          std::string("0000-00-00T00:00:00Z"), std::string("1677-01-01T00:00:00Z"),
          std::string("2261-12-31T23:59:60.9999999999999999999Z"), std::string(70'000, 'z')}) {
      for (const char* path : {"/activity", "/memories", "/memory", "/delegations"}) {
        const std::string target = test::path_of(a, path) + "?" + name + "=" + value;
        CHECK(platform.get(target, a.token).status < 500);
      }
    }
  }
}

#include <doctest/doctest.h>

#include <string>

#include "mcp/host.hpp"
#include "mcp/lines.hpp"
#include "mcp/offers.hpp"
#include "mcp/offers/catalog.hpp"

namespace molecule::mcp::test {

TEST_CASE("only existing capabilities are declared, in the revisions that define them") {
  Host host(make_offers());
  CHECK(
      host.initialize()["result"]["capabilities"].dump() ==
      R"({"tools":{},"resources":{"subscribe":true},"prompts":{},"completions":{},"logging":{}})");
  CHECK_FALSE(host.initialize("2024-11-05")["result"]["capabilities"]["completions"].present());
  Host bare;
  for (const char* method :
       {"resources/list", "resources/read", "resources/templates/list", "prompts/list",
        "prompts/get", "completion/complete", "subscriptions/listen", "nope"}) {
    CHECK(bare.ask(stateless("1", method)).code() == -32601);
  }
}

TEST_CASE("lists are paged, and unknown cursors are rejected") {
  Limits limits;
  limits.page_entries = 4;
  Host host(make_offers(), limits);
  std::string params = "{}";
  std::string names;
  for (int pages = 0; pages < 3; ++pages) {
    const Answer page = host.ask(request("1", "tools/list", params));
    for (const json::Value& tool : page["result"]["tools"].items()) {
      names += tool["name"].string_or({});
    }
    const json::Value next = page["result"]["nextCursor"];
    CHECK(next.present() == (pages < 2));
    params = R"({"cursor":)" + next.dump() + "}";
  }
  CHECK(names == "tool0tool1tool2tool3tool4mediadatalogaskask_too");
  const Answer first = host.ask(request("1", "tools/list", R"({"cursor":""})"));
  CHECK(first["result"]["tools"].items().size() == 4);
  for (const char* wrong : {"\"3\"", "\"12\"", "\"x\"", "\"4x\"", "4", "[]", "\"-4\""}) {
    const std::string cursor = R"({"cursor":)" + std::string(wrong) + "}";
    CHECK(host.ask(request("1", "tools/list", cursor)).code() == -32602);
    CHECK(host.ask(request("1", "prompts/list", cursor)).code() == -32602);
  }
}

TEST_CASE("resources are listed and read, directly and through a template") {
  Host host(make_offers());
  CHECK(host.ask(request("1", "resources/list"))["result"].dump() ==
        R"({"resources":[{"uri":"test://a","name":"a","title":"A title"}]})");
  CHECK(host.ask(request("1", "resources/templates/list"))["result"].dump() ==
        R"({"resourceTemplates":[{"uriTemplate":"test://item/{id}","name":"item"}]})");
  CHECK(
      host.ask(request("1", "resources/read", R"({"uri":"test://item/a%20b"})"))["result"].dump() ==
      R"({"contents":[{"uri":"test://item/a%20b","mimeType":"text/plain",)"
      R"("text":"a b"}]})");
  const Answer now = host.ask(stateless("1", "resources/read", R"("uri":"test://a")"));
  CHECK(now["result"]["ttlMs"].integer() == 7);
  CHECK(now["result"]["cacheScope"].string_or({}) == "public");
  for (const char* missing : {"test://b", "test://item/", "test://item/404", "test://item/1/2"}) {
    const std::string uri = "\"uri\":\"" + std::string(missing) + "\"";
    const Answer old = host.ask(request("1", "resources/read", "{" + uri + "}"));
    CHECK(old.code() == -32002);
    CHECK(old["error"]["data"].dump() == "{" + uri + "}");
    CHECK(host.ask(stateless("1", "resources/read", uri)).code() == -32602);
  }
  CHECK(host.ask(request("1", "resources/read")).code() == -32602);
}

TEST_CASE("a template matches exactly the URIs that it can expand to") {
  const auto match = [](std::string_view uri) {
    std::string found;
    const auto variables = match_template("x://{a}/-{b}/end", uri);
    if (!variables) return std::string("no");
    for (const auto& [name, value] : *variables) found += name + "=" + value + ";";
    return found;
  };
  CHECK(match("x://1/-2/end") == "a=1;b=2;");
  CHECK(match("x://%2F/--/end") == "a=/;b=-;");
  for (const char* wrong : {"", "x://", "x://1/-/end", "x:///-2/end", "x://1/-2/end/", "x://1/-2",
                            "x://1/2/-3/end", "x://1?/-2/end", "y://1/-2/end"}) {
    CHECK(match(wrong) == "no");
  }
}

TEST_CASE("a prompt without its required arguments is rejected") {
  Host host(make_offers());
  CHECK(host.ask(request("1", "prompts/list"))["result"]["prompts"].items().at(0).dump() ==
        R"({"name":"greet","arguments":[{"name":"name","required":true}]})");
  CHECK(host.ask(request("1", "prompts/get",
                         R"({"name":"greet","arguments":{"name":"Ada"}})"))["result"]
            .dump() == R"({"description":"A greeting","messages":[{"role":"assistant",)"
                       R"("content":{"type":"text","text":"Ada"}}]})");
  for (const char* wrong :
       {R"({})", R"({"name":"no"})", R"({"name":"greet"})", R"({"name":"greet","arguments":[]})",
        R"({"name":"greet","arguments":{"name":7}})",
        R"({"name":"greet","arguments":{"name":"a","b":1}})"}) {
    CHECK(host.ask(request("1", "prompts/get", wrong)).code() == -32602);
  }
}

TEST_CASE("completion returns at most 100 values") {
  Host host(make_offers());
  const std::string prompt = R"("ref":{"type":"ref/prompt","name":"greet"},)";
  const std::string item = R"("ref":{"type":"ref/resource","uri":"test://item/{id}"},)";
  const Answer many = host.ask(request(
      "1", "completion/complete", "{" + prompt + R"("argument":{"name":"name","value":"v"}})"));
  CHECK(many["result"]["completion"]["values"].items().size() == 100);
  CHECK(many["result"]["completion"]["total"].integer() == 150);
  CHECK(many["result"]["completion"]["hasMore"].boolean() == true);
  const Answer few = host.ask(stateless("1", "completion/complete",
                                        item + R"("argument":{"name":"id","value":"v"},)"
                                               R"("context":{"arguments":{"few":"1"}})"));
  CHECK(few["result"]["completion"].dump() == R"({"values":["v0"],"total":1,"hasMore":false})");
  CHECK(few["result"]["resultType"].present());
  for (const std::string& wrong :
       {prompt + R"("argument":{"name":"x","value":""})", prompt + R"("argument":{"name":"name"})",
        std::string(
            R"("ref":{"type":"ref/prompt","name":"x"},"argument":{"name":"name","value":""})"),
        item + R"("argument":{"name":"x","value":""})", std::string(R"("ref":7)")}) {
    CHECK(host.ask(request("1", "completion/complete", "{" + wrong + "}")).code() == -32602);
  }
}

TEST_CASE("each content type is sent only in the revisions that define it") {
  Host host(make_offers());
  const auto blocks = [&host](const char* version) {
    (void)host.initialize(version);
    return host.ask(call("1", "media"))["result"]["content"].dump();
  };
  const std::string image = R"([{"type":"image","data":"YQ==","mimeType":"image/png"},)";
  const std::string audio = R"({"type":"audio","data":"YWI=","mimeType":"audio/wav"},)";
  const std::string inside = R"({"type":"resource","resource":{"uri":"test://e","blob":"YWJj"}},)";
  CHECK(blocks("2025-06-18") ==
        image + audio + inside + R"({"type":"resource_link","uri":"test://l","name":"link"}])");
  const std::string link = R"({"type":"text","text":"test://l"}])";
  CHECK(blocks("2025-03-26") == image + audio + inside + link);
  CHECK(blocks("2024-11-05") ==
        image + R"({"type":"text","text":"[audio: audio/wav]"},)" + inside + link);
  const std::string text = R"("content":[{"type":"text","text":"{\"n\":1}"}],)";
  CHECK(host.ask(call("1", "data"))["result"].dump() == "{" + text + R"("isError":false})");
  (void)host.initialize();
  CHECK(host.ask(call("1", "data"))["result"].dump() ==
        "{" + text + R"("structuredContent":{"n":1},"isError":false})");
}

TEST_CASE("log messages below the requested level are not sent") {
  Host host(make_offers());
  (void)host.initialize();
  const auto logged = [&host](std::string_view line) {
    host.send(line);
    std::string levels;
    Answer next = host.receive();
    while (next["method"].string_or({}) == "notifications/message") {
      levels += next["params"]["level"].string_or({});
      next = host.receive();
    }
    return levels;
  };
  CHECK(logged(call("1", "log")) == "error");
  CHECK(host.ask(request("2", "logging/setLevel", R"({"level":"debug"})"))["result"].dump() ==
        "{}");
  CHECK(host.ask(request("2", "logging/setLevel", R"({"level":"loud"})")).code() == -32602);
  CHECK(logged(call("1", "log")) == "debugerror");
  host.session.log(LogLevel::info, "test", "hello");
  CHECK(host.receive()["params"].dump() == R"({"level":"info","logger":"test","data":"hello"})");
  const auto asked = [](const char* level) {
    return stateless("1", "tools/call", R"("name":"log")",
                     R"("io.modelcontextprotocol/logLevel":")" + std::string(level) + "\"");
  };
  CHECK(logged(stateless("1", "tools/call", R"("name":"log")")).empty());
  CHECK(logged(asked("error")) == "error");
  CHECK(logged(asked("emergency")).empty());
}

}  // namespace molecule::mcp::test

#include <doctest/doctest.h>

#include <chrono>

#include "server/api/memory/memory_redaction.hpp"
#include "server/platform.hpp"
#include "server/store/search_words.hpp"

using namespace molecule;
using server::redact_memory;
using test::Member;
using test::path_of;
using test::Platform;

namespace {

test::Answer remember(Platform& platform, const Member& member, std::string_view content,
                      std::string_view scope = "LOCAL", std::string_view more = "") {
  return platform.post(path_of(member, "/memories"), member.token,
                       R"({"content":")" + std::string(content) + R"(","scope":")" +
                           std::string(scope) + "\"" + std::string(more) + "}");
}

std::vector<std::string> recall(Platform& platform, const Member& member,
                                const std::string& query) {
  std::vector<std::string> found;
  const auto list = platform.get(path_of(member, "/memories?" + query), member.token);
  CHECK(list.status == 200);
  CHECK(list.document.root().is_array());
  for (const json::Value row : list.items()) found.emplace_back(row["content"].string_or(""));
  return found;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a memory is stored and found again") {
  Platform platform;
  const Member a = platform.add("a");
  const auto stored = remember(platform, a, "the deploys run on Fridays");
  CHECK(stored.status == 201);
  CHECK(stored["scope"].string_or("") == "LOCAL");
  CHECK(stored["namespace"].string_or("") == "general");
  const auto list = platform.get(path_of(a, "/memories"), a.token);
  REQUIRE(list.items().size() == 1);
  const json::Value row = list.items()[0];
  CHECK(row["id"].string_or("") == stored["id"].string_or("?"));
  CHECK(row["workspace_id"].string_or("") == a.id);
  CHECK(row["content"].string_or("") == "the deploys run on Fridays");
  CHECK(parse_rfc3339(row["created_at"].string_or("")).has_value());

  const Texts found{"the deploys run on Fridays"};
  CHECK(recall(platform, a, "q=deploy") == found);
  CHECK(recall(platform, a, "q=What is DEPLOYING on the friday?") == found);
  CHECK(recall(platform, a, "q=deploy monday").empty());
  CHECK(recall(platform, a, "q=the").empty());
  CHECK(recall(platform, a, "q=F") == found);
  CHECK(recall(platform, a, "q=%").empty());
  CHECK(recall(platform, a, "q=_").empty());
}

TEST_CASE("best match first, then the newest") {
  Platform platform;
  const Member a = platform.add("a");
  remember(platform, a, "apple banana cherry date elderberry");
  remember(platform, a, "apple");
  remember(platform, a, "apple");
  remember(platform, a, "banana");
  CHECK(recall(platform, a, "q=apple") ==
        Texts{"apple", "apple", "apple banana cherry date elderberry"});
  CHECK(recall(platform, a, "") ==
        Texts{"banana", "apple", "apple", "apple banana cherry date elderberry"});
  CHECK(recall(platform, a, "limit=1") == Texts{"banana"});
}

TEST_CASE("no query causes a syntax error") {
  Platform platform;
  const Member a = platform.add("a");
  remember(platform, a, "near content OR column");
  for (const char* q : {"\"",
                        "\"\"",
                        "'",
                        "''\"",
                        "*",
                        "a*",
                        "^x",
                        "NEAR(",
                        "NEAR(a b, 5)",
                        "AND",
                        "OR OR",
                        "NOT",
                        "content:x",
                        "{content}:x",
                        "-x",
                        "+",
                        "( )",
                        "a AND (b",
                        "\\",
                        "--",
                        ";DROP TABLE memories",
                        "\xE2\x80\xA6",
                        "\xE2\x80\xA6 \xE2\x80\x9C",
                        "\xE3\x80\x80",
                        "\xF0\x9F\x98\x80",
                        "((((((((((((((((((((((((((((((((",
                        "?1",
                        "%",
                        "%%",
                        "_x"}) {
    const auto reply = platform.get(path_of(a, std::string("/memories?q=") + q), a.token);
    CHECK_MESSAGE(reply.status == 200, q);
  }
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "near ";
  CHECK(recall(platform, a, "q=" + many).size() == 1);
  CHECK(recall(platform, a, "q=" + std::string(100'000, 'x')).empty());
  CHECK(recall(platform, a, "q=NEAR(content)").size() == 1);
  CHECK(platform.count("SELECT count(*) FROM memories") == 1);
}

TEST_CASE("search words") {
  const auto joined = [](const std::vector<std::string>& terms) {
    std::string all;
    for (const std::string& term : terms) all += "[" + term + "]";
    return all;
  };
  const auto words = [&](std::string_view typed) {
    return joined(server::store::search_terms(typed).words);
  };
  CHECK(words("") == "");
  CHECK(words("the of") == "");
  CHECK(words("Foo-bar \"baz\"") == "[foo][bar][baz]");
  CHECK(words("na\xC3\xAFve \xFF") == "[na\xC3\xAFve][\xEF\xBF\xBD]");
  CHECK(words(std::string("a\0x", 3)) == "[x]");
  const auto terms = server::store::search_terms("東京の天気、docs 猫");
  CHECK(joined(terms.words) == "[docs]");
  CHECK(joined(terms.parts) == "[東京の天気]");
  CHECK(joined(terms.short_parts) == "[猫]");
  CHECK(server::store::fts_string("a\"b") == "\"a\"\"b\"");
  CHECK(server::store::like_anywhere("%") == "%\\%%");
  CHECK(server::store::like_anywhere("\\") == "%\\\\%");
}

TEST_CASE("words, beginnings, accents and scripts without spaces are found") {
  Platform platform;
  const Member a = platform.add("a");
  for (const char* content :
       {"Running tests before the release", "Crème brûlée für Zoë", "東京の天気は晴れです",
        "서울에서 회의가 있습니다", "วันนี้อากาศดีมาก", "Встреча в МОСКВЕ завтра", "数据库迁移 docs"}) {
    platform.post(path_of(a, "/memories"), a.token,
                  R"({"scope":"LOCAL","content":")" + std::string(content) + "\"}");
  }
  const auto found = [&](const std::string& query) {
    const auto items = platform.get(path_of(a, "/memories?q=" + query), a.token).items();
    return items.size();
  };
  for (const char* query :
       {"run",   "runs",  "releas",        "test release", "creme",    "brulee",
        "Crème", "zoe",   "天気",          "東京",         "天",       "京の天",
        "서울",  "회의",  "서울에서 회의", "อากาศ",        "ดี",        "москве",
        "МОСК",  "встре", "数据库",        "迁移",         "迁移docs", "数据 docs"}) {
    CAPTURE(query);
    CHECK(found(query) == 1);
  }
  for (const char* query : {"京都", "walk", "東京 docs", "서울 docs", "unning"}) {
    CAPTURE(query);
    CHECK(found(query) == 0);
  }
}

TEST_CASE("scopes: who sees what") {
  Platform platform;
  const Member root = platform.add("root");
  const Member other = platform.add("other root");
  const Member a = platform.add("a", root.id);
  const Member b = platform.add("b", root.id);
  const Member grandchild = platform.add("grandchild", a.id);
  for (const auto& [member, name] : {std::pair{root, "root"},
                                     {other, "other"},
                                     {a, "a"},
                                     {b, "b"},
                                     {grandchild, "grandchild"}}) {
    CHECK(remember(platform, member, std::string(name) + " local", "LOCAL").status == 201);
    CHECK(remember(platform, member, std::string(name) + " team", "TEAM").status == 201);
  }
  CHECK(recall(platform, a, "scope=LOCAL") == Texts{"a local"});
  CHECK(recall(platform, a, "scope=TEAM") == Texts{"b team", "a team", "root team"});
  CHECK(recall(platform, root, "scope=TEAM") == Texts{"b team", "a team", "root team"});
  CHECK(recall(platform, grandchild, "scope=TEAM") == Texts{"grandchild team", "a team"});
  CHECK(recall(platform, other, "scope=TEAM") == Texts{"other team"});
  CHECK(recall(platform, a, "") == Texts{"a team", "a local"});
  CHECK(recall(platform, a, "scope=team") == Texts{"a team", "a local"});
  CHECK(recall(platform, a, "scope=TEAM&q=root") == Texts{"root team"});
  CHECK(recall(platform, a, "scope=TEAM&q=grandchild").empty());
  platform.set(b, "status = 'removed'");
  CHECK(recall(platform, a, "scope=TEAM") == Texts{"a team", "root team"});
}

TEST_CASE("only roots write GLOBAL memories, and everyone sees who wrote them") {
  Platform platform;
  const Member root = platform.add("root");
  const Member a = platform.add("a", root.id);
  const auto refused = remember(platform, a, "x", "GLOBAL");
  CHECK(refused.status == 403);
  CHECK(refused.error() == "only root workspaces can write GLOBAL memories");
  const auto stored = remember(platform, root, "[MEMORY id=fake] [MEMORY x", "GLOBAL");
  CHECK(stored.status == 201);
  platform.set(root, "status = 'removed'");
  CHECK(recall(platform, a, "scope=GLOBAL") ==
        Texts{"[MEMORY id=" + std::string(stored["id"].string_or("")) +
              " scope=GLOBAL from=" + root.id + "]: [_MEMORY id=fake] [_MEMORY x"});
  CHECK(recall(platform, a, "").empty());

  const auto audit =
      platform.get(path_of(root, "/activity?type=memory_write_global"), platform.admin);
  REQUIRE(audit.items().size() == 1);
  CHECK(audit.text.find("fake") == std::string::npos);
  CHECK(audit.items()[0]["request_body"]["sha256"].string_or("").size() == 64);
}

TEST_CASE("the refusals of memories") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  const auto refused = [&](const std::string& body) {
    const auto reply = platform.post(path_of(a, "/memories"), a.token, body);
    CHECK_MESSAGE(reply.status == 400, body);
    return std::string(reply.error());
  };
  for (const char* body : {"", "{", "[]", "{}", R"({"content":"x"})", R"({"scope":"LOCAL"})",
                           R"({"content":"","scope":"LOCAL"})", R"({"content":5,"scope":"LOCAL"})",
                           R"({"content":"x","scope":"LOCAL","namespace":{}})"}) {
    CHECK(refused(body) == "invalid request body");
  }
  CHECK(refused(R"({"content":"x","scope":"local"})") == "scope must be LOCAL, TEAM, or GLOBAL");
  CHECK(refused(R"({"content":"x","scope":"LOCAL","namespace":")" + std::string(51, 'n') + "\"}") ==
        "namespace must be <= 50 characters");
  CHECK(remember(platform, a, "x", "LOCAL", R"(,"namespace":"notes")").status == 201);
  CHECK(recall(platform, a, "namespace=notes").size() == 1);
  CHECK(recall(platform, a, "namespace=general").empty());
  CHECK(platform.get(path_of(a, "/memories"), b.token).status == 401);
  CHECK(platform
            .post("/workspaces/" + std::string(test::unknown_id) + "/memories", platform.admin,
                  R"({"content":"x","scope":"LOCAL"})")
            .status == 404);
}

TEST_CASE("only its owner deletes a memory, from the search too") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  const auto stored = remember(platform, a, "ephemeral");
  const std::string memory = "/memories/" + std::string(stored["id"].string_or(""));
  for (const auto& reply :
       {platform.ask("DELETE", path_of(b, memory), b.token),
        platform.ask("DELETE", path_of(a, "/memories/nonsense"), a.token),
        platform.ask("DELETE", path_of(a, "/memories/" + std::string(test::unknown_id)),
                     a.token)}) {
    CHECK(reply.status == 404);
    CHECK(reply.error() == "memory not found or not owned by this workspace");
  }
  CHECK(recall(platform, a, "q=ephemeral").size() == 1);
  CHECK(platform.ask("DELETE", path_of(a, memory), b.token).status == 401);
  const auto deleted = platform.ask("DELETE", path_of(a, memory), a.token);
  CHECK(deleted.text == R"({"status":"deleted"})");
  CHECK(recall(platform, a, "q=ephemeral").empty());
  CHECK(recall(platform, a, "").empty());
}

TEST_CASE("secrets are redacted before a memory is stored") {
  CHECK(redact_memory("OPENAI_API_KEY=abc rest") == "[REDACTED:API_KEY] rest");
  CHECK(redact_memory("set my_api_key \n = \t abc;x rest") == "set [REDACTED:API_KEY] rest");
  CHECK(redact_memory("GITHUB_TOKEN=abc") == "[REDACTED:TOKEN]");
  CHECK(redact_memory("x_SECRET = y") == "[REDACTED:SECRET]");
  CHECK(redact_memory("Authorization: Bearer  abc def") ==
        "Authorization: [REDACTED:BEARER_TOKEN] def");
  CHECK(redact_memory("sk-0123456789abcde") == "sk-0123456789abcde");
  CHECK(redact_memory("task sk-0123456789abcdef.") == "task [REDACTED:SK_TOKEN].");
  CHECK(redact_memory("ctx7_a-") == "[REDACTED:CTX7_TOKEN]-");
  CHECK(redact_memory(std::string(32, 'a')) == std::string(32, 'a'));
  CHECK(redact_memory(std::string(33, 'a') + "===") == "[REDACTED:BASE64_BLOB]=");
  CHECK(redact_memory("(" + std::string(64, 'f') + ")") == "([REDACTED:BASE64_BLOB])");
  for (const char* kept :
       {"_API_KEY=x", "1A_API_KEY=x", "MY_API_KEYS=x", "MY_API_KEY x", "MY_API_KEY= ", "API_KEY=x",
        "bearer x", "Bearer", "Bearerx y", "ctx7_", "", "plain text", "na\xC3\xAFve"}) {
    CHECK(redact_memory(kept) == kept);
  }
  // A word boundary precedes the name, even after a character that is not an ASCII letter.
  CHECK(redact_memory("\xC3\xA9"
                      "A_TOKEN=x") == "\xC3\xA9[REDACTED:TOKEN]");
  CHECK(redact_memory("1.A_TOKEN=x") == "1.[REDACTED:TOKEN]");
}

TEST_CASE("redaction takes time linear in the text") {
  const auto seconds = [](std::string_view piece, std::size_t size) {
    std::string text;
    while (text.size() < size) text += piece;
    const auto start = std::chrono::steady_clock::now();
    redact_memory(text);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    return took.count();
  };
  // Ten times the text in a hundred times the time would be quadratic.
  for (const char* piece :
       {"A_API_KEY ", "A_API_KEY= ", "_TOKEN_TOKEN", "Bearer ", "Bearer", "sk-", "sk-a.", "ctx7_",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.", "= = ", "A", " "}) {
    const double small = seconds(piece, 200'000);
    const double large = seconds(piece, 2'000'000);
    CHECK_MESSAGE(large < 50 * small + 0.05, piece);
  }
}

TEST_CASE("keys and values have versions") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  const auto put = [&](std::string_view body) {
    return platform.post(path_of(a, "/memory"), a.token, body);
  };
  CHECK(put(R"({"key":"k","value":{"n":[1,null]}})").text ==
        R"({"status":"ok","key":"k","version":1})");
  CHECK(put(R"({"key":"k","value":null,"if_match_version":1})").text ==
        R"({"status":"ok","key":"k","version":2})");
  const auto conflict = put(R"({"key":"k","value":1,"if_match_version":1})");
  CHECK(conflict.status == 409);
  CHECK(conflict["expected_version"].integer() == 1);
  CHECK(conflict["current_version"].integer() == 2);
  CHECK(put(R"({"key":"k","value":1,"if_match_version":0})").status == 409);
  const auto absent = put(R"({"key":"new","value":1,"if_match_version":4})");
  CHECK(absent.status == 409);
  CHECK(absent["current_version"].is_null());
  CHECK(put(R"({"key":"new","value":"v","if_match_version":0})").status == 200);

  const auto entry = platform.get(path_of(a, "/memory/k"), a.token);
  CHECK(entry.status == 200);
  CHECK(entry["value"].is_null());
  CHECK(entry["version"].integer() == 2);
  CHECK_FALSE(entry["expires_at"].present());
  const auto list = platform.get(path_of(a, "/memory"), a.token);
  REQUIRE(list.items().size() == 2);
  CHECK(list.items()[1]["value"].string_or("") == "v");
  CHECK(platform.get(path_of(b, "/memory"), b.token).text == "[]");
  CHECK(platform.get(path_of(a, "/memory/none"), a.token).error() == "key not found");
  CHECK(platform.ask("DELETE", path_of(a, "/memory/k"), a.token).text == R"({"status":"deleted"})");
  CHECK(platform.ask("DELETE", path_of(a, "/memory/k"), a.token).status == 200);
  CHECK(platform.get(path_of(a, "/memory/k"), a.token).status == 404);
}

TEST_CASE("keys expire") {
  Platform platform;
  const Member a = platform.add("a");
  const auto put = [&](std::string_view body) {
    return platform.post(path_of(a, "/memory"), a.token, body);
  };
  put(R"({"key":"k","value":1,"ttl_seconds":10})");
  CHECK(platform.get(path_of(a, "/memory/k"), a.token)["expires_at"].is_string());
  platform.clock.advance(std::chrono::seconds(11));
  CHECK(platform.get(path_of(a, "/memory/k"), a.token).status == 404);
  CHECK(platform.get(path_of(a, "/memory"), a.token).text == "[]");
  // An expired key may be created again; its old version does not return.
  CHECK(put(R"({"key":"k","value":2,"if_match_version":0})")["version"].integer() == 2);
  CHECK_FALSE(platform.get(path_of(a, "/memory/k"), a.token)["expires_at"].present());
  CHECK(put(R"({"key":"far","value":1,"ttl_seconds":9223372036854775807})").status == 200);
  CHECK(platform.get(path_of(a, "/memory/far"), a.token).status == 200);
  CHECK(put(R"({"key":"past","value":1,"ttl_seconds":-9223372036854775808})").status == 200);
  CHECK(platform.get(path_of(a, "/memory/past"), a.token).status == 404);
}

TEST_CASE("the refusals of keys and values") {
  Platform platform;
  const Member a = platform.add("a");
  const auto refused = [&](const std::string& body, int status) {
    const auto reply = platform.post(path_of(a, "/memory"), a.token, body);
    CHECK_MESSAGE(reply.status == status, body.substr(0, 100));
    return std::string(reply.error());
  };
  for (const char* body :
       {"", "[]", R"({"key":5,"value":1})", R"({"key":"k","value":1,"ttl_seconds":"1"})",
        R"({"key":"k","value":1,"if_match_version":1.5})"}) {
    CHECK(refused(body, 400) == "invalid request body");
  }
  CHECK(refused(R"({"value":1})", 400) == "key is required");
  CHECK(refused(R"({"key":"k"})", 400) == "value is required");
  CHECK(refused(R"({"key":"k","value":)" + std::string(300, '[') + std::string(300, ']') + "}",
                400) == "invalid request body: nested too deeply");
  platform.services.limits.key_value_bytes = 16 << 20;
  const std::string large(9 << 20, 'x');
  CHECK(platform.post(path_of(a, "/memory"), a.token, R"({"key":"1","value":")" + large + "\"}")
            .status == 200);
  CHECK(refused(R"({"key":"2","value":")" + large + "\"}", 413).find("full") != std::string::npos);
  CHECK(platform.post(path_of(a, "/memory"), a.token, R"({"key":"1","value":")" + large + "\"}")
            .status == 200);
}

TEST_CASE("fault D1: no text keeps the redaction of memories busy") {
  for (const std::string piece : {"AKIA", "A_TOKEN", "A_TOKEN=", "_TOKEN= ", "=", " ", "Bearer",
                                  "Bearer ", "sk-", "sk-a ", "ctx7_", "a/", "aaaaaaa="}) {
    CAPTURE(piece);
    std::string given;
    while (given.size() < std::size_t{1} << 20) given += piece;
    const auto begin = std::chrono::steady_clock::now();
    CHECK(redact_memory(given).size() <= 18 * given.size());
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
  }
}

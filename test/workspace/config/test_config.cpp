#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "base/json/reader.hpp"
#include "support/temporary_folder.hpp"
#include "workspace/config/config.hpp"
#include "workspace/config/credentials.hpp"
#include "workspace/support.hpp"

using namespace molecule;
using namespace molecule::workspace;
using test::Variables;

namespace {

struct Fixture {
  test::TemporaryFolder folder;
  std::filesystem::path state = folder.path() / "a" / "state";
  Variables good{{"WORKSPACE_ID", test::self_id},
                 {"PLATFORM_URL", "https://platform.test//"},
                 {"MOLECULE_WORKSPACE_TOKEN", "t0ken"},
                 {"CONFIGS_DIR", state.string()},
                 {"HOME", folder.path().string()}};

  Variables with(const Variables& more) {
    Variables all = good;
    for (const auto& [name, value] : more) all[name] = value;
    return all;
  }
  Config load(const Variables& more = {}) {
    auto config = load_config(test::environment_of(with(more)));
    if (!config.ok()) FAIL(config.error().front());
    return *config;
  }
  std::vector<std::string> problems(const Variables& more) {
    auto config = load_config(test::environment_of(with(more)));
    return config.ok() ? std::vector<std::string>() : config.error();
  }
};

bool mentions(const std::vector<std::string>& problems, std::string_view text) {
  return std::any_of(problems.begin(), problems.end(), [&](const std::string& problem) {
    return problem.find(text) != std::string::npos;
  });
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "config: a complete environment") {
  const Config config = load();
  CHECK(config.workspaces.at(0).id == test::self_id);
  CHECK(config.workspaces.at(0).platform_url == "https://platform.test");
  CHECK(config.org_id.empty());
  CHECK(config.workspaces.at(0).state_folder == state);
  CHECK(config.workspaces.at(0).upload_folder == state / "uploads");
  CHECK(config.heartbeat);
  CHECK(config.inbox);
  CHECK_FALSE(config.verbose);
  CHECK(config.poll_timeout.count() == 2);
  struct stat status{};
  REQUIRE(::stat(state.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
}

TEST_CASE_FIXTURE(Fixture, "config: all missing variables are named at once") {
  auto config = load_config(test::environment_of({{"CONFIGS_DIR", state.string()}}));
  REQUIRE_FALSE(config.ok());
  CHECK(config.error().size() == 3);
  for (const char* name : {"WORKSPACE_ID", "PLATFORM_URL", "MOLECULE_WORKSPACE_TOKEN"}) {
    CHECK(mentions(config.error(), name));
  }
}

TEST_CASE_FIXTURE(Fixture, "config: all problems are reported at once, without a token") {
  std::ofstream(folder.path() / "file") << "x";
  const auto found = problems({{"WORKSPACE_ID", "mine"},
                               {"PLATFORM_URL", "ftp://x"},
                               {"MOLECULE_WORKSPACE_TOKEN", "se cret"},
                               {"CONFIGS_DIR", (folder.path() / "file").string()}});
  CHECK(found.size() == 4);
  CHECK(mentions(found, "WORKSPACE_ID"));
  CHECK(mentions(found, "PLATFORM_URL"));
  CHECK(mentions(found, "MOLECULE_WORKSPACE_TOKEN"));
  CHECK(mentions(found, "CONFIGS_DIR"));
  CHECK_FALSE(mentions(found, "se cret"));
}

TEST_CASE_FIXTURE(Fixture, "config: platform addresses") {
  for (const char* url :
       {"http://localhost:8080", "HTTPS://p.test/", "http://[::1]:80//", "https://p.test/base/",
        "http://[fe80::1%25eth0]", "http://p.test:", "http://p.test:65535"}) {
    CAPTURE(url);
    CHECK(problems({{"PLATFORM_URL", url}}).empty());
    CHECK(load({{"PLATFORM_URL", url}}).workspaces.at(0).platform_url.back() != '/');
  }
  for (const char* url :
       {"p.test", "://x", "http://", "http:///", "http://:80", "file:///etc/passwd",
        "http://user:pass@p.test", "http://p.test/?q", "http://p.test/#f", "http://p .test",
        "http://p.test\r\nX: y", "http://p\xc3\xa4.test", "http://p.test:65536", "http://p.test:0",
        "http://p.test:-1", "http://[::1", "http://[::1]80"}) {
    CAPTURE(url);
    CHECK(mentions(problems({{"PLATFORM_URL", url}}), "PLATFORM_URL"));
  }
  CHECK_FALSE(mentions(problems({{"PLATFORM_URL", "http://user:pass@p.test"}}), "pass@"));
}

TEST_CASE_FIXTURE(Fixture, "config: the agent card") {
  CHECK(load().workspaces.at(0).agent_card ==
        R"({"name":"molecule-mcp-11111111-2222-3333-4444-555555555555","skills":[]})");
  CHECK(load({{"MOLECULE_AGENT_NAME", "  "}, {"MOLECULE_AGENT_SKILLS", " , "}})
            .workspaces.at(0)
            .agent_card == load().workspaces.at(0).agent_card);
  CHECK(
      load({{"MOLECULE_AGENT_NAME", " Ann \"A\" "},
            {"MOLECULE_AGENT_DESCRIPTION", "does things"},
            {"MOLECULE_AGENT_SKILLS", "write, ,read ,"}})
          .workspaces.at(0)
          .agent_card ==
      R"({"name":"Ann \"A\"","description":"does things","skills":[{"name":"write"},{"name":"read"}]})");
}

TEST_CASE_FIXTURE(Fixture, "config: the organisation") {
  CHECK(load({{"MOLECULE_ORG_ID", " org-1 "}}).org_id == "org-1");
  CHECK(load({{"MOLECULE_ORGANIZATION_ID", "org-2"}}).org_id == "org-2");
  CHECK(load({{"MOLECULE_ORG_ID", "a"}, {"MOLECULE_ORGANIZATION_ID", "b"}}).org_id == "a");
  CHECK(load({{"MOLECULE_ORG_ID", "two words"}}).org_id.empty());
  CHECK(load({{"MOLECULE_ORG_ID", "a\r\nX: y"}}).org_id.empty());
  CHECK(load({{"MOLECULE_ORG_ID", std::string(128, 'o')}}).org_id.size() == 128);
  CHECK(load({{"MOLECULE_ORG_ID", std::string(129, 'o')}}).org_id.empty());
}

TEST_CASE_FIXTURE(Fixture, "config: the poll timeout is clamped") {
  const auto timeout = [&](const char* value) {
    return load({{"MOLECULE_MCP_POLL_TIMEOUT_SECS", value}}).poll_timeout.count();
  };
  CHECK(timeout("0") == 0);
  CHECK(timeout("45") == 45);
  CHECK(timeout("61") == 60);
  CHECK(timeout("-1") == 0);
  CHECK(timeout("99999999999999999999") == 60);
  CHECK(timeout("-99999999999999999999") == 0);
  CHECK(timeout("soon") == 2);
  CHECK(timeout("5s") == 2);
  CHECK(timeout(" ") == 2);
}

TEST_CASE_FIXTURE(Fixture, "config: switches take any value") {
  CHECK(load({{"MOLECULE_MCP_VERBOSE", "0"}}).verbose);
  CHECK_FALSE(load({{"MOLECULE_MCP_DISABLE_HEARTBEAT", "x"}}).heartbeat);
  CHECK_FALSE(load({{"MOLECULE_MCP_DISABLE_INBOX", "1"}}).inbox);
  CHECK(load({{"MOLECULE_MCP_DISABLE_INBOX", ""}}).inbox);
  CHECK(load({{"MOLECULE_CHAT_UPLOAD_DIR", "/srv/files"}}).workspaces.at(0).upload_folder ==
        "/srv/files");
}

TEST_CASE_FIXTURE(Fixture, "config: several workspaces have a folder and a token each") {
  const Config config = load(
      {{"WORKSPACE_ID", ""},
       {"MOLECULE_WORKSPACES", R"([{"id":"AAAAAAAA-bbbb-cccc-dddd-eeeeeeeeeeee","token":" one "},)"
                               R"({"id":"11111111-2222-3333-4444-555555555555","token":"two",)"
                               R"("platform_url":"http://other.test:8080/"}])"}});
  REQUIRE(config.workspaces.size() == 2);
  const WorkspaceConfig& first = config.workspaces[0];
  CHECK(first.id == test::peer_id);
  CHECK(first.platform_url == "https://platform.test");
  CHECK(first.state_folder == state / test::peer_id);
  CHECK(first.upload_folder == state / test::peer_id / "uploads");
  CHECK(first.agent_card.find("molecule-mcp-aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee") !=
        std::string::npos);
  const WorkspaceConfig& second = config.workspaces[1];
  CHECK(second.platform_url == "http://other.test:8080");
  CHECK(std::filesystem::is_directory(second.state_folder));
  Credentials credentials(first.token, first.state_folder);
  REQUIRE(credentials.reload().ok());
  CHECK(credentials.token() == "one");
}

TEST_CASE_FIXTURE(Fixture, "config: an entry of the list never falls back to the one token") {
  const auto errors = problems({{"MOLECULE_WORKSPACES", R"([{"id":")" + test::peer_id + R"("}])"}});
  CHECK(mentions(errors, "MOLECULE_WORKSPACES[0].token is missing"));
  std::filesystem::create_directories(state / test::peer_id);
  std::ofstream(state / test::peer_id / ".auth_token") << "kept";
  CHECK(problems({{"MOLECULE_WORKSPACES", R"([{"id":")" + test::peer_id + R"("}])"}}).empty());
}

TEST_CASE_FIXTURE(Fixture, "config: every problem of the list is reported with its place") {
  const auto errors = problems(
      {{"PLATFORM_URL", ""},
       {"MOLECULE_WORKSPACES", R"([{"id":"../../etc","token":"a"}, 7, {"id":")" + test::peer_id +
                                   R"(","token":"<paste>","platform_url":"ftp://x"},)"
                                   R"({"id":")" +
                                   test::peer_id + R"(","token":["s3cret"],"platform_url":5}])"}});
  for (const char* text : {"MOLECULE_WORKSPACES[0].id is not a UUID", "[0].platform_url is missing",
                           "[1] is not an object", "[2].token still holds the placeholder",
                           "[2].platform_url is not usable", "[3].id is a duplicate",
                           "[3].token must be a string", "[3].platform_url must be a string"}) {
    CAPTURE(text);
    CHECK(mentions(errors, text));
  }
  CHECK_FALSE(mentions(errors, "s3cret"));
  CHECK_FALSE(std::filesystem::exists(state / test::peer_id));
}

TEST_CASE_FIXTURE(Fixture, "config: a malformed or empty list") {
  for (const char* list : {"[]", "{}", "[", "null", "7", "\"x\""}) {
    CAPTURE(list);
    CHECK(mentions(problems({{"MOLECULE_WORKSPACES", list}}), "MOLECULE_WORKSPACES"));
  }
}

TEST_CASE_FIXTURE(Fixture, "config: the state folder of the user") {
  if (::access("/configs", F_OK) == 0) return;
  Variables variables = good;
  variables.erase("CONFIGS_DIR");
  auto config = load_config(test::environment_of(variables));
  REQUIRE(config.ok());
  CHECK(config->workspaces.at(0).state_folder == folder.path() / ".molecule-workspace");
  struct stat status{};
  REQUIRE(::stat(config->workspaces.at(0).state_folder.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
}

TEST_CASE_FIXTURE(Fixture, "config: a token in the state folder suffices") {
  std::filesystem::create_directories(state);
  std::ofstream(state / ".auth_token") << "kept\n";
  CHECK(problems({{"MOLECULE_WORKSPACE_TOKEN", ""}}).empty());
}

TEST_CASE_FIXTURE(Fixture, "config: an id in upper case is the same workspace") {
  CHECK(load({{"WORKSPACE_ID", " AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE "}}).workspaces.at(0).id ==
        test::peer_id);
}

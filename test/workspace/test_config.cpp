#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "molecule/base/json.hpp"
#include "molecule/workspace/config.hpp"
#include "support.hpp"
#include "temporary_folder.hpp"

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

TEST_CASE_FIXTURE(Fixture, "config: a complete one") {
  const Config config = load();
  CHECK(config.workspace_id == test::self_id);
  CHECK(config.platform_url == "https://platform.test");
  CHECK(config.org_id.empty());
  CHECK(config.state_folder == state);
  CHECK(config.upload_folder == state / "uploads");
  CHECK(config.heartbeat);
  CHECK(config.inbox);
  CHECK_FALSE(config.verbose);
  CHECK(config.poll_timeout.count() == 2);
  struct stat status{};
  REQUIRE(::stat(state.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
}

TEST_CASE_FIXTURE(Fixture, "config: all that is missing is named at once") {
  auto config = load_config(test::environment_of({{"CONFIGS_DIR", state.string()}}));
  REQUIRE_FALSE(config.ok());
  CHECK(config.error().size() == 3);
  for (const char* name : {"WORKSPACE_ID", "PLATFORM_URL", "MOLECULE_WORKSPACE_TOKEN"}) {
    CHECK(mentions(config.error(), name));
  }
}

TEST_CASE_FIXTURE(Fixture, "config: several things wrong are all told, and no token with them") {
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
       {"http://localhost:8080", "HTTPS://p.test/", "http://[::1]:80//", "https://p.test/base/"}) {
    CAPTURE(url);
    CHECK(problems({{"PLATFORM_URL", url}}).empty());
    CHECK(load({{"PLATFORM_URL", url}}).platform_url.back() != '/');
  }
  for (const char* url :
       {"p.test", "://x", "http://", "http:///", "http://:80", "file:///etc/passwd",
        "http://user:pass@p.test", "http://p.test/?q", "http://p.test/#f", "http://p .test",
        "http://p.test\r\nX: y", "http://p\xc3\xa4.test"}) {
    CAPTURE(url);
    CHECK(mentions(problems({{"PLATFORM_URL", url}}), "PLATFORM_URL"));
  }
  CHECK_FALSE(mentions(problems({{"PLATFORM_URL", "http://user:pass@p.test"}}), "pass@"));
}

TEST_CASE_FIXTURE(Fixture, "config: the agent card") {
  CHECK(load().agent_card == R"({"name":"molecule-mcp-11111111","skills":[]})");
  CHECK(load({{"MOLECULE_AGENT_NAME", "  "}, {"MOLECULE_AGENT_SKILLS", " , "}}).agent_card ==
        load().agent_card);
  CHECK(
      load({{"MOLECULE_AGENT_NAME", " Ann \"A\" "},
            {"MOLECULE_AGENT_DESCRIPTION", "does things"},
            {"MOLECULE_AGENT_SKILLS", "write, ,read ,"}})
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
  CHECK(load({{"MOLECULE_CHAT_UPLOAD_DIR", "/srv/files"}}).upload_folder == "/srv/files");
}

TEST_CASE_FIXTURE(Fixture, "config: several workspaces are refused, not ignored") {
  CHECK(mentions(problems({{"MOLECULE_WORKSPACES", "[]"}}), "MOLECULE_WORKSPACES"));
}

TEST_CASE_FIXTURE(Fixture, "config: the state folder of the user") {
  if (::access("/configs", F_OK) == 0) return;
  Variables variables = good;
  variables.erase("CONFIGS_DIR");
  auto config = load_config(test::environment_of(variables));
  REQUIRE(config.ok());
  CHECK(config->state_folder == folder.path() / ".molecule-workspace");
  struct stat status{};
  REQUIRE(::stat(config->state_folder.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
}

TEST_CASE_FIXTURE(Fixture, "config: a token in the state folder is enough") {
  std::filesystem::create_directories(state);
  std::ofstream(state / ".auth_token") << "kept\n";
  CHECK(problems({{"MOLECULE_WORKSPACE_TOKEN", ""}}).empty());
}

TEST_CASE_FIXTURE(Fixture, "config: an id in capitals is the same workspace") {
  CHECK(load({{"WORKSPACE_ID", " AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE "}}).workspace_id ==
        test::peer_id);
}

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/json/reader.hpp"
#include "support/temporary_folder.hpp"
#include "workspace/config/config.hpp"
#include "workspace/config/config_file.hpp"
#include "workspace/support.hpp"

using namespace molecule;
using namespace molecule::workspace;
using test::Variables;

namespace {

struct Fixture {
  test::TemporaryFolder folder;
  std::filesystem::path file = folder.path() / ".config" / "molecule" / "config.toml";
  Variables base{{"HOME", folder.path().string()},
                 {"CONFIGS_DIR", (folder.path() / "state").string()}};

  void write(const std::string& text, mode_t mode = 0600) const {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    ::chmod(file.c_str(), mode);
  }
  std::string token_file(const std::string& name) const {
    const std::filesystem::path path = folder.path() / name;
    std::ofstream(path) << "token-of-" << name;
    ::chmod(path.c_str(), 0600);
    return path.string();
  }
  Variables with(const Variables& more) const {
    Variables all = base;
    for (const auto& [name, value] : more) all[name] = value;
    return all;
  }
  Reading read(const Variables& more = {}) const {
    return read_config(test::environment_of(with(more)));
  }
  Config load(const Variables& more = {}) const {
    auto config = load_config(test::environment_of(with(more)));
    if (!config.ok()) FAIL(config.error().front());
    return *config;
  }
};

const std::string one_workspace =
    "url = \"https://platform.test/\"\norg_id = \"org\"\n[[workspace]]\nid = \"" + test::self_id +
    "\"\nname = \"Ada\"\n";

bool mentions(const std::vector<std::string>& problems, std::string_view text) {
  return std::any_of(problems.begin(), problems.end(), [&](const std::string& problem) {
    return problem.find(text) != std::string::npos;
  });
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "config.toml: alone is a whole configuration") {
  write(one_workspace + "token_file = \"" + token_file("t1") + "\"\nskills = [\"a\", \"b c\"]\n");
  const Config config = load();
  const WorkspaceConfig& one = config.workspaces.at(0);
  CHECK(one.id == test::self_id);
  CHECK(one.platform_url == "https://platform.test");
  CHECK(one.agent_card == R"({"name":"Ada","skills":[{"name":"a"},{"name":"b c"}]})");
  CHECK(config.org_id == "org");
  CHECK(one.token.environment("MOLECULE_WORKSPACE_TOKEN_FILE") == folder.path() / "t1");
}

TEST_CASE_FIXTURE(Fixture, "config.toml: the environment wins") {
  write(one_workspace);
  const Config config = load({{"PLATFORM_URL", "https://other.test"},
                              {"MOLECULE_WORKSPACE_TOKEN", "t0ken"},
                              {"MOLECULE_AGENT_NAME", "Eve"}});
  CHECK(config.workspaces.at(0).platform_url == "https://other.test");
  CHECK(config.workspaces.at(0).agent_card == R"({"name":"Eve","skills":[]})");
}

TEST_CASE_FIXTURE(Fixture, "config.toml: another WORKSPACE_ID gets only what all share") {
  write(one_workspace);
  const Config config =
      load({{"WORKSPACE_ID", test::peer_id}, {"MOLECULE_WORKSPACE_TOKEN", "t0ken"}});
  CHECK(config.workspaces.at(0).id == test::peer_id);
  CHECK(config.workspaces.at(0).platform_url == "https://platform.test");
  CHECK(config.workspaces.at(0).agent_card.find("Ada") == std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "config.toml: several workspaces, each with its own token and card") {
  write(one_workspace + "token_file = \"" + token_file("t1") + "\"\n[[workspace]]\nid = \"" +
        test::peer_id + "\"\nname = \"Ben\"\ntoken_file = \"" + token_file("t2") +
        "\"\nurl = \"http://127.0.0.1:1\"\n");
  const Config config = load({{"MOLECULE_WORKSPACE_TOKEN", "for none of them"}});
  REQUIRE(config.workspaces.size() == 2);
  CHECK(config.workspaces.at(1).id == test::peer_id);
  CHECK(config.workspaces.at(1).platform_url == "http://127.0.0.1:1");
  CHECK(config.workspaces.at(0).state_folder != config.workspaces.at(1).state_folder);
  CHECK(config.workspaces.at(1).agent_card.find("Ben") != std::string::npos);
  const Environment own = config.workspaces.at(1).token.environment;
  CHECK(own("MOLECULE_WORKSPACE_TOKEN") == std::nullopt);
  CHECK(own("MOLECULE_WORKSPACE_TOKEN_FILE") == folder.path() / "t2");
  // WORKSPACE_ID chooses one.
  const Config chosen = load({{"WORKSPACE_ID", test::peer_id}});
  REQUIRE(chosen.workspaces.size() == 1);
  CHECK(chosen.workspaces.at(0).platform_url == "http://127.0.0.1:1");
}

TEST_CASE_FIXTURE(Fixture, "config.toml: what is wrong is said with its place") {
  write(
      "url = \"ftp://x\"\ntokn = 1\ntoken = \"secret-token\"\n[[workspace]]\nid = \"x\"\n"
      "nmae = \"Ada\"\nskills = \"a\"\n");
  const std::vector<std::string> problems = read().problems;
  CHECK(mentions(problems, "config.toml: url is not usable"));
  CHECK(mentions(problems, "tokn is no key of this file: did you mean token?"));
  CHECK(mentions(problems, "a token does not belong into this file"));
  CHECK(mentions(problems, "workspace 1: id must be"));
  CHECK(mentions(problems, "nmae is no key of this file: did you mean name?"));
  CHECK(mentions(problems, "workspace 1: skills must be a list"));
  CHECK(!mentions(problems, "secret-token"));
  write("url = ");
  CHECK(mentions(read().problems, "config.toml: line 1"));
}

TEST_CASE_FIXTURE(Fixture, "config.toml: a file that anybody can write is refused") {
  write(one_workspace, 0602);
  CHECK(mentions(read().problems, "can be written by every user"));
  CHECK(mentions(read().problems, "PLATFORM_URL is not set"));
}

TEST_CASE_FIXTURE(Fixture, "config.toml: XDG_CONFIG_HOME names its folder") {
  const std::filesystem::path elsewhere = folder.path() / "xdg" / "molecule" / "config.toml";
  write("url = 1");
  std::filesystem::create_directories(elsewhere.parent_path());
  std::ofstream(elsewhere) << one_workspace;
  CHECK(read({{"XDG_CONFIG_HOME", (folder.path() / "xdg").string()}})
            .config.workspaces.at(0)
            .platform_url == "https://platform.test");
}

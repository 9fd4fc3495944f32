#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <latch>
#include <thread>
#include <vector>

#include "support/temporary_folder.hpp"
#include "workspace/config/config.hpp"
#include "workspace/config/credentials.hpp"
#include "workspace/config/state_folder.hpp"
#include "workspace/support.hpp"

using namespace molecule;
using namespace molecule::workspace;
using test::peer_id;
using test::self_id;

namespace {

namespace fs = std::filesystem;

mode_t mode(const fs::path& path) {
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

struct Fixture {
  test::TemporaryFolder folder;
  fs::path base = folder.path();

  fs::path find(const std::string& id, bool several = false) const {
    return find_state_folder(base, id, several);
  }
  fs::path take(const std::string& id, bool several = false) const {
    auto taken = take_state_folder(base, id, several);
    REQUIRE(taken.ok());
    return *taken;
  }
  void name(const std::string& content) const { std::ofstream(base / ".workspace_id") << content; }
  /// The folder of `id` as the only workspace, or why the configuration is refused.
  std::string load(const std::string& id, const std::string& token) const {
    auto config = load_config(test::environment_of({{"WORKSPACE_ID", id},
                                                    {"PLATFORM_URL", "http://127.0.0.1:1"},
                                                    {"MOLECULE_WORKSPACE_TOKEN", token},
                                                    {"CONFIGS_DIR", base.string()}}));
    return config.ok() ? config->workspaces.at(0).state_folder.string() : config.error().at(0);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "state folder: a suspended process in it is not waited for") {
  const int other = ::open(base.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  REQUIRE(::flock(other, LOCK_EX) == 0);
  CHECK(take(self_id) == base);
  ::close(other);
}

TEST_CASE_FIXTURE(Fixture, "state folder: a single workspace takes an unowned base folder") {
  CHECK(find(self_id) == base);
  CHECK_FALSE(fs::exists(base / ".workspace_id"));
  CHECK(take(self_id) == base);
  CHECK(mode(base / ".workspace_id") == 0600);
  CHECK(owner_of_folder(base) == self_id);
  CHECK(take(self_id) == base);
  CHECK(take(self_id, true) == base);
  CHECK(std::distance(fs::directory_iterator(base), {}) == 1);
}

TEST_CASE_FIXTURE(Fixture, "state folder: every other workspace gets a subfolder") {
  take(self_id);
  CHECK(find(peer_id) == base / peer_id);
  CHECK_FALSE(fs::exists(base / peer_id));
  CHECK(take(peer_id) == base / peer_id);
  CHECK(mode(base / peer_id) == 0700);
  CHECK(take(peer_id, true) == base / peer_id);
  CHECK(owner_of_folder(base) == self_id);
}

TEST_CASE_FIXTURE(
    Fixture,
    "state folder: several workspaces take no base folder, and keep their subfolders when alone") {
  CHECK(take(self_id, true) == base / self_id);
  CHECK(owner_of_folder(base).empty());
  CHECK(take(self_id) == base / self_id);
  CHECK(take(peer_id) == base);
  CHECK(take(peer_id, true) == base);
}

TEST_CASE_FIXTURE(Fixture, "state folder: an invalid owner file leaves the base folder unowned") {
  for (const char* content : {"", "x", "../../etc", "11111111-2222-3333-4444-55555555555"}) {
    CAPTURE(content);
    name(content);
    CHECK(owner_of_folder(base).empty());
    CHECK(take(self_id) == base);
    CHECK(owner_of_folder(base) == self_id);
  }
  name("AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE\n");
  CHECK(take(peer_id) == base);
}

TEST_CASE_FIXTURE(Fixture, "state folder: of several that start at once one gets the base folder") {
  for (int round = 0; round < 20; ++round) {
    name("junk");
    std::vector<fs::path> taken(8);
    std::latch begin(static_cast<std::ptrdiff_t>(taken.size()));
    {
      std::vector<std::jthread> starting;
      for (std::size_t i = 0; i < taken.size(); ++i) {
        starting.emplace_back([this, i, &taken, &begin] {
          begin.arrive_and_wait();
          auto found = take_state_folder(base, test::activity_id(static_cast<int>(i)), false);
          if (found.ok()) taken[i] = *found;
        });
      }
    }
    CHECK(std::count(taken.begin(), taken.end(), base) == 1);
    for (std::size_t i = 0; i < taken.size(); ++i) {
      const std::string id = test::activity_id(static_cast<int>(i));
      CHECK((taken[i] == base || taken[i] == base / id));
      fs::remove_all(base / id);
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "state folder: another workspace's token is not used") {
  std::ofstream(base / ".auth_token") << "of-the-first";
  CHECK(load(self_id, "") == base);
  CHECK(load(peer_id, "").find((base / peer_id / ".auth_token").string()) != std::string::npos);
  CHECK_FALSE(fs::exists(base / peer_id));
  CHECK(load(peer_id, "own") == base / peer_id);
}

TEST_CASE_FIXTURE(Fixture, "state folder: all existing folders are found") {
  CHECK(list_state_folders(base / "absent").at(0).folder == base / "absent");
  REQUIRE(list_state_folders(base).size() == 1);
  CHECK(list_state_folders(base).at(0).id.empty());
  take(peer_id, true);
  fs::create_directory(base / "uploads");
  REQUIRE(list_state_folders(base).size() == 1);
  CHECK(list_state_folders(base).at(0).id == peer_id);
  take(self_id);
  const auto both = list_state_folders(base);
  REQUIRE(both.size() == 2);
  CHECK(both[0].id == self_id);
  CHECK(both[0].folder == base);
  CHECK(both[1].folder == base / peer_id);
}

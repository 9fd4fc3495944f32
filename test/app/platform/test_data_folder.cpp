// The folder in which a platform keeps everything.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "app/platform/data_folder.hpp"
#include "support/temporary_folder.hpp"

using namespace molecule;
using app::DataFolder;

namespace {

mode_t mode_of(const std::filesystem::path& path) {
  struct stat found{};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_mode & 0777U;
}

}  // namespace

TEST_CASE("it is made for its owner only, with the folders above it") {
  const test::TemporaryFolder parent;
  const auto folder = DataFolder::open(parent / "new" / "platform");
  REQUIRE(folder.ok());
  CHECK(mode_of(parent / "new" / "platform") == 0700);
}

TEST_CASE("it belongs to one process at a time") {
  const test::TemporaryFolder parent;
  {
    const auto folder = DataFolder::open(parent.path());
    REQUIRE(folder.ok());
    const auto second = DataFolder::open(parent.path());
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().find(parent.path().string()) != std::string::npos);
  }
  CHECK(DataFolder::open(parent.path()).ok());
}

TEST_CASE("the admin token is made once and kept") {
  const test::TemporaryFolder parent;
  const auto folder = DataFolder::open(parent.path());
  REQUIRE(folder.ok());
  const auto made = folder->admin_token();
  REQUIRE(made.ok());
  CHECK(made->size() >= 32);
  CHECK(mode_of(folder->admin_token_file()) == 0600);
  CHECK(*folder->admin_token() == *made);
}

TEST_CASE("what is no folder is refused by its name") {
  const test::TemporaryFolder parent;
  std::ofstream(parent / "file") << "text";
  const auto folder = DataFolder::open(parent / "file");
  REQUIRE_FALSE(folder.ok());
  CHECK(folder.error().find("file") != std::string::npos);
}

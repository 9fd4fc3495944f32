#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "base/files/files.hpp"
#include "support/temporary_folder.hpp"

using namespace molecule;
namespace fs = std::filesystem;

namespace {

mode_t mode_of(const fs::path& path) {
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

/// Limits the file size, which makes writes fail as on a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

}  // namespace

TEST_CASE("replaced files are read back") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  const std::string content("line\n\0\xFF", 7);
  REQUIRE(files::replace(path, content));
  CHECK(*files::read(path) == content);
  CHECK(mode_of(path) == 0600);
  REQUIRE(files::replace(path, "other", 0644));
  CHECK(*files::read(path) == "other");
  CHECK(mode_of(path) == 0644);
  REQUIRE(files::replace(path, ""));
  CHECK(files::read(path)->empty());
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("a file that cannot be read gives the reason") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  const auto missing = files::read(path);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ENOENT);
  CHECK(missing.error().message.find(path.string()) != std::string::npos);
  CHECK(files::read(folder.path()).error().code == EISDIR);
  CHECK(files::read("/dev/zero", 1000).error().message.find("not a regular file") !=
        std::string::npos);
  std::ofstream(path) << "12345";
  CHECK(*files::read(path, 5) == "12345");
  CHECK(files::read(path, 4).error().code == EFBIG);
  // This pipe has no writer: reading it must not block.
  const fs::path pipe = folder.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(files::read(pipe).error().message.find("not a regular file") != std::string::npos);
}

TEST_CASE("a failed write keeps the old content and leaves no temporary file") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  REQUIRE(files::replace(path, "old"));
  {
    const FullDisk full(1000);
    const auto failed = files::replace(path, std::string(5000, 'x'));
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == EFBIG);
    CHECK(failed.error().message.find(path.string()) != std::string::npos);
  }
  CHECK(*files::read(path) == "old");
  CHECK(entries(folder.path()) == 1);
  CHECK(files::replace(folder.path() / "none" / "file", "x").error().code == ENOENT);
  CHECK(files::replace(path / "below", "x").error().code == ENOTDIR);
  fs::create_directory(folder.path() / "taken");
  CHECK_FALSE(files::replace(folder.path() / "taken", "x"));
  CHECK(entries(folder.path()) == 2);
}

TEST_CASE("a symbolic link is replaced, not followed") {
  const test::TemporaryFolder folder;
  const fs::path target = folder.path() / "target";
  const fs::path link = folder.path() / "link";
  REQUIRE(files::replace(target, "old"));
  fs::create_symlink(target, link);
  REQUIRE(files::replace(link, "new"));
  CHECK(*files::read(target) == "old");
  CHECK(*files::read(link) == "new");
  CHECK_FALSE(fs::is_symlink(link));
}

TEST_CASE("folders and their parents are created private") {
  const test::TemporaryFolder folder;
  const fs::path deep = folder.path() / "a" / "b" / "c";
  REQUIRE(files::make_private_folder(deep));
  for (const fs::path& made : {deep, deep.parent_path(), deep.parent_path().parent_path()}) {
    CHECK(mode_of(made) == 0700);
  }
  REQUIRE(files::make_private_folder(deep));
  REQUIRE(files::make_private_folder(deep / ""));
  fs::permissions(deep, fs::perms(0755));
  REQUIRE(files::make_private_folder(deep));
  CHECK(mode_of(deep) == 0755);
  const fs::path file = folder.path() / "file";
  std::ofstream(file) << "x";
  CHECK(files::make_private_folder(file).error().code == ENOTDIR);
  CHECK_FALSE(files::make_private_folder(file / "below"));
  fs::create_symlink(folder.path() / "nowhere", folder.path() / "dangling");
  CHECK_FALSE(files::make_private_folder(folder.path() / "dangling"));
}

TEST_CASE("check_writable leaves nothing behind") {
  const test::TemporaryFolder folder;
  REQUIRE(files::check_writable(folder.path()));
  CHECK(entries(folder.path()) == 0);
  const auto missing = files::check_writable(folder.path() / "none");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ENOENT);
  CHECK_FALSE(files::check_writable("/proc"));
}

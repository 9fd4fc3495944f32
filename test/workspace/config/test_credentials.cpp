#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "support/temporary_folder.hpp"
#include "workspace/config/credentials.hpp"
#include "workspace/support.hpp"

using namespace molecule;
using namespace molecule::workspace;
using test::Variables;

namespace {

const std::string token_variable = "MOLECULE_WORKSPACE_TOKEN";
const std::string file_variable = "MOLECULE_WORKSPACE_TOKEN_FILE";

struct Fixture {
  test::TemporaryFolder folder;
  std::filesystem::path write(const std::string& name, const std::string& text) {
    std::ofstream(folder.path() / name) << text;
    return folder.path() / name;
  }
  std::string read(const std::string& name) {
    std::ifstream file(folder.path() / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  Credentials with(Variables variables) {
    return {{test::environment_of(std::move(variables))}, folder.path()};
  }
  std::string problem_of(Variables variables) {
    Credentials credentials = with(std::move(variables));
    auto loaded = credentials.reload();
    CHECK(credentials.token().empty());
    return loaded.ok() ? std::string() : loaded.error();
  }
};

/// Reads without root's privileges: root may read everything.
class Unprivileged {
 public:
  Unprivileged() : before_(::geteuid()) {
    if (before_ == 0) dropped_ = ::seteuid(65534) == 0;
  }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;
  ~Unprivileged() {
    if (dropped_) dropped_ = ::seteuid(before_) != 0;
  }

 private:
  uid_t before_;
  bool dropped_ = false;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "credentials: the order of the sources") {
  write(".auth_token", "from-state\n");
  const std::string file = write("token", " from-file \n");
  const auto token = [&](Variables variables) {
    Credentials credentials = with(std::move(variables));
    REQUIRE(credentials.reload().ok());
    return credentials.token();
  };
  CHECK(token({{token_variable, " from-env\n"}, {file_variable, file}}) == "from-env");
  CHECK(token({{file_variable, file}}) == "from-file");
  CHECK(token({}) == "from-state");
  CHECK(token({{token_variable, "  "}, {file_variable, ""}}) == "from-state");
}

TEST_CASE_FIXTURE(Fixture, "credentials: the source is described for people") {
  const auto source = [&](Variables variables) {
    Credentials credentials = with(std::move(variables));
    REQUIRE(credentials.require().ok());
    return credentials.token_source();
  };
  const std::string file = write("token", "from-file");
  CHECK(source({{token_variable, "a"}, {file_variable, file}}) == token_variable);
  CHECK(source({{file_variable, file}}).find(file) != std::string::npos);
  Credentials none = with({});
  CHECK_FALSE(none.require().ok());
  CHECK(none.keep_issued_token("issued").ok());
  CHECK(none.token_source() == (folder.path() / ".auth_token").string());
  CHECK(source({}) == none.token_source());
}

TEST_CASE_FIXTURE(Fixture, "credentials: no source gives no token and no problem") {
  Credentials credentials = with({});
  CHECK(credentials.reload().ok());
  CHECK(credentials.token().empty());
  write(".auth_token", "\n");
  CHECK(credentials.reload().ok());
}

TEST_CASE_FIXTURE(Fixture,
                  "credentials: five distinct errors of the token file, none falls through") {
  write(".auth_token", "from-state");
  const std::string secret = "s3cret-part";
  const std::string denied = write("denied", "x");
  REQUIRE(::chmod(denied.c_str(), 0) == 0);
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  std::set<std::string> kinds;
  const auto check = [&](const std::string& path, const std::string& says) {
    const std::string problem = problem_of({{file_variable, path}});
    CAPTURE(problem);
    CHECK(problem.find(says) != std::string::npos);
    CHECK(problem.find(file_variable) != std::string::npos);
    CHECK(problem.find(path) != std::string::npos);
    CHECK(problem.find(secret) == std::string::npos);
    kinds.insert(says);
  };
  check((folder.path() / "absent").string(), "no such file");
  {
    const Unprivileged unprivileged;
    check(denied, "permission");
  }
  check(write("binary", "\xff\xfe" + secret), "not UTF-8");
  check(write("empty", " \n\t"), "empty");
  check(write("two", secret + " " + secret), "white space inside");
  CHECK(kinds.size() == 5);
  check(folder.path().string(), "directory");
  check(write("control", secret + "\x01"), "cannot be a token");
}

TEST_CASE_FIXTURE(Fixture, "credentials: placeholders of the snippets are refused") {
  for (const std::string placeholder :
       {"<paste from create response>", "<paste auth_token from create response>",
        "ROTATE_TO_REVEAL_TOKEN", "<ROTATE_TO_REVEAL_TOKEN>", "{{AUTH_TOKEN}}"}) {
    CHECK(problem_of({{token_variable, placeholder}}).find("placeholder") != std::string::npos);
    const std::string file = write("token", placeholder);
    CHECK(problem_of({{file_variable, file}}).find("placeholder") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "credentials: a token cannot inject a header") {
  CHECK_FALSE(problem_of({{token_variable, "abc\r\nX-Evil: 1"}}).empty());
  CHECK_FALSE(problem_of({{token_variable, std::string("abc\0def", 7)}}).empty());
  CHECK_FALSE(problem_of({{token_variable, "tökén"}}).empty());
}

TEST_CASE_FIXTURE(Fixture, "credentials: a failed reload keeps the previous token") {
  const std::string file = write("token", "first");
  Credentials credentials = with({{file_variable, file}});
  REQUIRE(credentials.reload().ok());
  std::filesystem::remove(file);
  CHECK_FALSE(credentials.reload().ok());
  CHECK(credentials.token() == "first");
  write("token", "second");
  CHECK(credentials.reload().ok());
  CHECK(credentials.token() == "second");
}

TEST_CASE_FIXTURE(Fixture,
                  "credentials: an issued token is stored, and one that was held is dead") {
  Credentials none = with({});
  REQUIRE(none.keep_issued_token("issued").ok());
  CHECK(none.token() == "issued");
  CHECK(read(".auth_token") == "issued");
  struct stat status{};
  REQUIRE(::stat((folder.path() / ".auth_token").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(none.keep_issued_token("another").ok());
  CHECK(none.token() == "another");
  CHECK(read(".auth_token") == "another");
  CHECK_FALSE(read(".dead_tokens").empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "fault F1: a dead token is not tried again before its source has another") {
  const std::string file = write("token", "dead-token-of-a-file");
  for (const Variables& variables :
       {Variables{{token_variable, "dead-token"}}, Variables{{file_variable, file}}}) {
    Credentials held = with(variables);
    REQUIRE(held.reload().ok());
    const std::string dead = held.token();
    REQUIRE(held.keep_issued_token("issued-token").ok());
    CHECK(held.token() == "issued-token");
    CHECK(read(".dead_tokens").find(dead) == std::string::npos);
    // This process, and the next one.
    REQUIRE(held.reload().ok());
    CHECK(held.token() == "issued-token");
    Credentials next = with(variables);
    REQUIRE(next.require().ok());
    CHECK(next.token() == "issued-token");
    CHECK(next.token_source() == (folder.path() / ".auth_token").string());
  }
  Credentials rotated = with({{token_variable, "rotated-token"}});
  REQUIRE(rotated.require().ok());
  CHECK(rotated.token() == "rotated-token");
  write("token", "rotated-in-the-file");
  Credentials changed = with({{file_variable, file}});
  REQUIRE(changed.require().ok());
  CHECK(changed.token() == "rotated-in-the-file");
}

TEST_CASE_FIXTURE(Fixture, "fault F1: a dead token is better than none") {
  Credentials held = with({{token_variable, "dead-token"}});
  REQUIRE(held.reload().ok());
  REQUIRE(held.keep_issued_token("issued-token").ok());
  std::filesystem::remove(folder.path() / ".auth_token");
  Credentials next = with({{token_variable, "dead-token"}});
  REQUIRE(next.require().ok());
  CHECK(next.token() == "dead-token");
}

TEST_CASE_FIXTURE(Fixture, "fault F9: a refused token gives way to a later source's") {
  Credentials credentials = with({{token_variable, "of-the-variable"}});
  REQUIRE(credentials.reload().ok());
  CHECK(credentials.file_for_token() == folder.path() / ".auth_token");
  credentials.refuse("of-the-variable");
  REQUIRE(credentials.reload().ok());
  CHECK(credentials.token() == "of-the-variable");
  write(".auth_token", "new-token");
  REQUIRE(credentials.reload().ok());
  CHECK(credentials.token() == "new-token");
  // If the platform refuses all of them, the order decides again.
  credentials.refuse("new-token");
  REQUIRE(credentials.reload().ok());
  CHECK(credentials.token() == "of-the-variable");
  const std::string file = write("token", "in-a-file");
  Credentials of_file = with({{file_variable, file}});
  REQUIRE(of_file.reload().ok());
  CHECK(of_file.file_for_token() == file);
}

TEST_CASE_FIXTURE(Fixture, "credentials: issued tokens are checked like all others") {
  Credentials none = with({});
  CHECK_FALSE(none.keep_issued_token("a\r\nb").ok());
  CHECK(none.keep_issued_token("").ok());
  CHECK(none.token().empty());
  CHECK_FALSE(std::filesystem::exists(folder.path() / ".auth_token"));
}

TEST_CASE_FIXTURE(Fixture, "credentials: the inbound secret is written if it differs") {
  Credentials credentials = with({{token_variable, "t"}});
  const std::filesystem::path path = folder.path() / ".platform_inbound_secret";
  REQUIRE(credentials.keep_inbound_secret("one").ok());
  CHECK(read(".platform_inbound_secret") == "one");
  struct stat first{};
  REQUIRE(::stat(path.c_str(), &first) == 0);
  CHECK((first.st_mode & 0777) == 0600);
  REQUIRE(credentials.keep_inbound_secret("one").ok());
  struct stat again{};
  REQUIRE(::stat(path.c_str(), &again) == 0);
  CHECK(again.st_ino == first.st_ino);
  REQUIRE(credentials.keep_inbound_secret("two").ok());
  CHECK(read(".platform_inbound_secret") == "two");
}

TEST_CASE_FIXTURE(Fixture, "credentials: a secret that cannot be written is only an error") {
  Credentials credentials({test::environment_of({{token_variable, "t"}})}, folder.path() / "gone");
  auto kept = credentials.keep_inbound_secret("hidden-secret");
  REQUIRE_FALSE(kept.ok());
  CHECK(kept.error().find("hidden-secret") == std::string::npos);
}

#include <doctest/doctest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/files/files.hpp"
#include "support/run.hpp"
#include "support/temporary_folder.hpp"
#include "support/virtual_clock.hpp"
#include "workspace/store/inbox.hpp"
#include "workspace/support.hpp"

using namespace molecule;
using namespace molecule::workspace;
using test::activity_id;
using test::message;

namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Fixture {
  test::TemporaryFolder folder;
  test::VirtualClock clock;
  Inbox open() { return Inbox(folder.path(), clock); }
  /// As the next owner finds it.
  std::optional<std::string> owner_cursor() {
    Inbox inbox(folder.path(), clock);
    CHECK(inbox.claim());
    return inbox.cursor();
  }
  std::filesystem::path cursor_file() const { return folder.path() / ".mcp_inbox_cursor"; }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "inbox: opening waits for the first use") {
  Inbox inbox(folder.path(), clock);
  CHECK(std::filesystem::is_empty(folder.path()));
  CHECK(inbox.size() == 0);
  CHECK(std::filesystem::exists(folder.path() / "inbox.db"));
}

TEST_CASE_FIXTURE(Fixture, "inbox: what is handled ends below the first that is not popped") {
  Inbox inbox(folder.path(), clock);
  CHECK(inbox.handled_sequence() == 0);
  const auto numbered = [](int number) {
    Message m = message(number);
    m.sequence = 10L * number;
    return m;
  };
  inbox.store({numbered(1), numbered(2), numbered(3)}, activity_id(4), 35);
  CHECK(inbox.handled_sequence() == 9);
  inbox.pop(activity_id(2));
  CHECK(inbox.handled_sequence() == 9);
  inbox.pop(activity_id(1));
  CHECK(inbox.handled_sequence() == 29);
  inbox.pop(activity_id(3));
  CHECK(inbox.handled_sequence() == 35);
  SUBCASE("one that the platform does not number") {
    inbox.store({message(5)}, activity_id(5));
    CHECK(inbox.handled_sequence() == 0);
    inbox.pop(activity_id(5));
    CHECK(inbox.handled_sequence() == 35);
  }
  SUBCASE("the platform numbers anew") {
    inbox.store({numbered(6)}, activity_id(6), 60);
    inbox.forget_cursor(std::nullopt);
    CHECK(inbox.handled_sequence() == 0);
    inbox.store({}, activity_id(7), 3);
    CHECK(inbox.handled_sequence() == 3);
  }
}

TEST_CASE_FIXTURE(Fixture, "inbox: messages come in order, stay until popped, never come twice") {
  Inbox inbox(folder.path(), clock);
  CHECK(inbox.store({message(1), message(2), message(3)}, activity_id(3)).size() == 3);
  CHECK(inbox.store({message(2), message(4)}, activity_id(4)).size() == 1);
  CHECK(inbox.oldest()->activity_id == activity_id(1));
  CHECK(inbox.pop(activity_id(1)));
  CHECK_FALSE(inbox.pop(activity_id(1)));
  CHECK_FALSE(inbox.pop("no such id"));
  CHECK(inbox.store({message(1)}, activity_id(4)).empty());
  CHECK(inbox.size() == 3);
  CHECK(inbox.peek(2).size() == 2);
  CHECK(inbox.peek(2)[0].activity_id == activity_id(2));
}

TEST_CASE_FIXTURE(Fixture, "inbox: an id is the same in either case") {
  Inbox inbox(folder.path(), clock);
  Message upper = message(1);
  upper.activity_id = "ABCDEFAB-0000-4000-8000-000000000001";
  CHECK(inbox.store({upper}, activity_id(1)).size() == 1);
  CHECK(inbox.pop("abcdefab-0000-4000-8000-000000000001"));
  CHECK(inbox.store({upper}, activity_id(1)).empty());
}

TEST_CASE_FIXTURE(Fixture, "inbox: everything is there again after reopening") {
  {
    Inbox inbox(folder.path(), clock);
    Message first = message(1, "für dich\n\"quoted\"");
    first.peer_id = test::peer_id;
    first.kind = "peer_agent";
    first.peer_name = "Анна";
    first.peer_role = "writer";
    inbox.store({first, message(2)}, activity_id(2));
    inbox.pop(activity_id(2));
  }
  Inbox inbox(folder.path(), clock);
  CHECK(inbox.cursor() == activity_id(2));
  const Message first = inbox.oldest().value();
  CHECK(first.text == "für dich\n\"quoted\"");
  CHECK(first.peer_id == test::peer_id);
  CHECK(first.kind == "peer_agent");
  CHECK(first.method == "message/send");
  CHECK(first.created_at == "2026-05-01T10:00:00Z");
  CHECK(first.peer_name == "Анна");
  CHECK(first.peer_role == "writer");
  CHECK(inbox.store({message(2)}, activity_id(2)).empty());
}

TEST_CASE_FIXTURE(Fixture, "inbox: popped ids outlast a clock that is wrong for a while") {
  Inbox inbox(folder.path(), clock);
  inbox.store({message(1), message(2), message(3)}, activity_id(3));
  inbox.pop(activity_id(1));
  clock.step_wall(std::chrono::days(4000));
  inbox.pop(activity_id(2));
  clock.step_wall(-std::chrono::days(4000));
  inbox.pop(activity_id(3));
  CHECK(inbox.store({message(1), message(2), message(3)}, activity_id(3)).empty());
}

TEST_CASE_FIXTURE(Fixture, "inbox: popped ids are forgotten when they are old and many") {
  Inbox inbox(folder.path(), clock);
  inbox.store({message(1), message(2)}, activity_id(2));
  inbox.pop(activity_id(1));
  const auto pop_many = [&](const char* prefix) {
    sqlite::Database other(folder.path() / "inbox.db");
    other
        .prepare(
            "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 99999)"
            " INSERT INTO popped(activity_id, popped_at) SELECT ?1 || i, ?2 FROM n")
        .bind(prefix, to_micros(clock.wall()))
        .run();
  };
  const auto forgets_first = [&](int now_popped) {
    inbox.store({message(now_popped)}, activity_id(now_popped));
    inbox.pop(activity_id(now_popped));
    return inbox.store({message(1)}, activity_id(now_popped)).size() == 1;
  };
  clock.step_wall(std::chrono::hours(1));
  pop_many("a");
  CHECK_FALSE(forgets_first(3));
  clock.step_wall(std::chrono::days(34));
  CHECK_FALSE(forgets_first(4));
  clock.step_wall(std::chrono::days(1));
  CHECK(forgets_first(5));
  CHECK(inbox.store({message(3), message(4)}, activity_id(5)).empty());
}

TEST_CASE_FIXTURE(Fixture, "inbox: a card that was set holds while the one it replaced does") {
  CHECK_FALSE(open().card_instead_of("{}"));
  open().keep_card(R"({"name":"Ann"})", "{}");
  CHECK(open().card_instead_of("{}") == R"({"name":"Ann"})");
  CHECK_FALSE(open().card_instead_of(R"({"name":"Ben"})"));
  open().keep_card(R"({"name":"Cid"})", R"({"name":"Ben"})");
  CHECK_FALSE(open().card_instead_of("{}"));
  CHECK(open().card_instead_of(R"({"name":"Ben"})") == R"({"name":"Cid"})");
}

TEST_CASE_FIXTURE(Fixture, "inbox: the cursor file is there for the other runtime") {
  Inbox inbox(folder.path(), clock);
  inbox.store({}, activity_id(7));
  CHECK(content(cursor_file()) == activity_id(7));
  struct stat status{};
  REQUIRE(::stat(cursor_file().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  REQUIRE(::stat((folder.path() / "inbox.db").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  inbox.forget_cursor(std::nullopt);
  CHECK_FALSE(std::filesystem::exists(cursor_file()));
  CHECK_FALSE(inbox.cursor());
}

TEST_CASE_FIXTURE(Fixture, "inbox: a valid cursor file wins at the start, another does not") {
  {
    Inbox inbox(folder.path(), clock);
    inbox.store({}, activity_id(1));
  }
  REQUIRE(files::replace(cursor_file(), activity_id(9) + "\n").ok());
  CHECK(owner_cursor() == activity_id(9));
  for (const std::string bad : {"", "garbage", "../../x", "00000000"}) {
    REQUIRE(files::replace(cursor_file(), bad).ok());
    CHECK(owner_cursor() == activity_id(9));
  }
  std::filesystem::remove(cursor_file());
  CHECK(owner_cursor() == activity_id(9));
}

TEST_CASE_FIXTURE(Fixture, "inbox: killed between the store and the cursor file, nothing is lost") {
  {
    Inbox inbox(folder.path(), clock);
    inbox.store({message(1)}, activity_id(1));
  }
  const std::string old_cursor = content(cursor_file());
  {
    Inbox inbox(folder.path(), clock);
    inbox.store({message(2)}, activity_id(2));
    inbox.pop(activity_id(2));
  }
  // As the kill leaves it: the database went on, the file did not.
  REQUIRE(files::replace(cursor_file(), old_cursor).ok());
  Inbox inbox(folder.path(), clock);
  CHECK(inbox.claim());
  CHECK(inbox.cursor() == activity_id(1));
  CHECK(inbox.store({message(2), message(3)}, activity_id(3)).size() == 1);
  CHECK(inbox.size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "inbox: kill -9 while it stores and pops leaves whole messages") {
  const auto child_work = [&](int ready) {
    test::VirtualClock child_clock;
    Inbox inbox(folder.path(), child_clock);
    for (int i = 1; i < 100'000; ++i) {
      inbox.store({message(2 * i), message(2 * i + 1)}, activity_id(2 * i + 1));
      inbox.pop(activity_id(2 * i));
      if (::write(ready, "x", 1) != 1) ::_exit(1);
    }
  };
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    child_work(pipe[1]);
    ::_exit(0);
  }
  int rounds = 0;
  for (char byte = 0; rounds < 20 && ::read(pipe[0], &byte, 1) == 1;) ++rounds;
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(pipe[1]);
  for (char byte = 0; ::read(pipe[0], &byte, 1) == 1;) ++rounds;
  ::close(pipe[0]);

  Inbox inbox(folder.path(), clock);
  const std::vector<Message> left = inbox.peek(1'000'000);
  // A round that was not reported may have happened, wholly or up to its pop.
  CHECK(left.size() >= static_cast<std::size_t>(rounds));
  CHECK(left.size() <= static_cast<std::size_t>(rounds) + 2);
  for (int i = 1; i <= rounds; ++i) {
    CHECK(inbox.store({message(2 * i), message(2 * i + 1)}, activity_id(2 * i + 1)).empty());
  }
}

TEST_CASE_FIXTURE(Fixture, "inbox: a full disk changes nothing and is over when there is room") {
  Inbox inbox(folder.path(), clock);
  inbox.store({message(1)}, activity_id(1));
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit tight{.rlim_cur = 64 * 1024, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
  const std::string large(300'000, 'x');
  bool failed = false;
  try {
    inbox.store({message(2), message(3, large)}, activity_id(3));
  } catch (const sqlite::Error& error) {
    failed = error.cannot_write();
  }
  const auto size = inbox.size();
  const auto cursor = inbox.cursor();
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(failed);
  CHECK(size == 1);
  CHECK(cursor == activity_id(1));
  CHECK(content(cursor_file()) == activity_id(1));
  CHECK(inbox.store({message(2), message(3, large)}, activity_id(3)).size() == 2);
  CHECK(inbox.cursor() == activity_id(3));
}

TEST_CASE_FIXTURE(Fixture, "inbox: a file that is not an inbox is named, and left alone") {
  const std::filesystem::path path = folder.path() / "inbox.db";
  std::string before;
  std::string reason;
  SUBCASE("not a database") {
    reason = "not a database";
    before = std::string(5000, 'z');
    std::ofstream(path) << before;
  }
  SUBCASE("another program's database") {
    reason = "another program's";
    sqlite::Database other(path);
    other.execute("CREATE TABLE theirs(x); INSERT INTO theirs VALUES('keep me')");
  }
  SUBCASE("a newer version's") {
    reason = "newer version";
    open().size();
    sqlite::Database newer(path);
    newer.execute("PRAGMA user_version = 99");
  }
  for (int i = 0; i < 2; ++i) {
    Inbox inbox(folder.path(), clock);
    std::string problem;
    try {
      inbox.size();
    } catch (const sqlite::Error& error) {
      problem = error.what();
    }
    CHECK(problem.find(path.string()) != std::string::npos);
    CHECK(problem.find("move it away") != std::string::npos);
    CHECK(problem.find(reason) != std::string::npos);
  }
  if (!before.empty()) {
    CHECK(content(path) == before);
  }
}

TEST_CASE_FIXTURE(Fixture, "inbox: since when it is watched lasts until there is a cursor") {
  Inbox inbox(folder.path(), clock);
  CHECK_FALSE(inbox.watched_since());
  inbox.watch_since(clock.wall());
  CHECK(inbox.watched_since() == clock.wall());
  inbox.store({message(1)}, activity_id(1));
  CHECK_FALSE(inbox.watched_since());
  inbox.forget_cursor(clock.wall() - std::chrono::hours(1));
  CHECK(inbox.watched_since() == clock.wall() - std::chrono::hours(1));
  inbox.forget_cursor(std::nullopt);
  CHECK_FALSE(inbox.watched_since());
}

TEST_CASE_FIXTURE(Fixture, "inbox: a cursor that is gone leaves its time") {
  const WallTime stored = clock.wall();
  const auto time_left = [&] {
    Inbox inbox(folder.path(), clock);
    CHECK(inbox.claim());
    inbox.forget_cursor(std::nullopt);
    return inbox.watched_since();
  };
  SUBCASE("when it was stored") {
    open().store({}, activity_id(1));
    clock.step_wall(std::chrono::hours(1));
    CHECK(time_left() == stored);
  }
  SUBCASE("when its row was made, where that is earlier") {
    open().store({}, activity_id(1), 0, stored - std::chrono::hours(1));
    CHECK(time_left() == stored - std::chrono::hours(1));
  }
  SUBCASE("not a later time of a platform whose clock is ahead") {
    open().store({}, activity_id(1), 0, stored + std::chrono::hours(1));
    CHECK(time_left() == stored);
  }
  SUBCASE("when the other runtime wrote it") {
    open().store({}, activity_id(1));
    REQUIRE(files::replace(cursor_file(), activity_id(2)).ok());
    struct stat status{};
    REQUIRE(::stat(cursor_file().c_str(), &status) == 0);
    CHECK(time_left() == std::chrono::system_clock::from_time_t(status.st_mtime));
  }
}

TEST_CASE_FIXTURE(Fixture, "inbox: a small one at rest takes little memory") {
  // One process may hold a thousand of them.
  const std::int64_t before = sqlite3_memory_used();
  Inbox inbox(folder.path(), clock);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(inbox.claim());
    inbox.free_leases();
    inbox.changed_elsewhere();
    CHECK_FALSE(inbox.full());
    CHECK_FALSE(inbox.cursor());
  }
  CHECK(sqlite3_memory_used() - before < std::int64_t{80} * 1024);
}

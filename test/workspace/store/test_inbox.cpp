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
#include "workspace/store/inbox/inbox.hpp"
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
  Inbox open() { return Inbox(folder.path(), clock, test::timing); }
  /// As the next owner finds it.
  std::optional<std::string> owner_cursor() {
    Inbox inbox(folder.path(), clock, test::timing);
    CHECK(inbox.ownership.claim());
    return inbox.poll_state.cursor();
  }
  std::filesystem::path cursor_file() const { return folder.path() / ".mcp_inbox_cursor"; }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "inbox: opening waits for the first use") {
  Inbox inbox(folder.path(), clock, test::timing);
  CHECK(std::filesystem::is_empty(folder.path()));
  CHECK(inbox.messages.size() == 0);
  CHECK(std::filesystem::exists(folder.path() / "inbox.db"));
}

TEST_CASE_FIXTURE(Fixture,
                  "inbox: the handled rows end before the first message that is not removed") {
  Inbox inbox(folder.path(), clock, test::timing);
  CHECK(inbox.poll_state.handled_sequence() == 0);
  const auto numbered = [](int number) {
    Message m = message(number);
    m.sequence = 10L * number;
    return m;
  };
  inbox.messages.store({numbered(1), numbered(2), numbered(3)}, activity_id(4), 35);
  CHECK(inbox.poll_state.handled_sequence() == 9);
  inbox.messages.remove(activity_id(2));
  CHECK(inbox.poll_state.handled_sequence() == 9);
  inbox.messages.remove(activity_id(1));
  CHECK(inbox.poll_state.handled_sequence() == 29);
  inbox.messages.remove(activity_id(3));
  CHECK(inbox.poll_state.handled_sequence() == 35);
  SUBCASE("one that the platform does not number") {
    inbox.messages.store({message(5)}, activity_id(5));
    CHECK(inbox.poll_state.handled_sequence() == 0);
    inbox.messages.remove(activity_id(5));
    CHECK(inbox.poll_state.handled_sequence() == 35);
  }
  SUBCASE("the platform numbers anew") {
    inbox.messages.store({numbered(6)}, activity_id(6), 60);
    inbox.poll_state.forget_cursor(std::nullopt);
    CHECK(inbox.poll_state.handled_sequence() == 0);
    inbox.messages.store({}, activity_id(7), 3);
    CHECK(inbox.poll_state.handled_sequence() == 3);
  }
}

TEST_CASE_FIXTURE(Fixture, "inbox: messages come in order, stay until removed, and never return") {
  Inbox inbox(folder.path(), clock, test::timing);
  CHECK(inbox.messages.store({message(1), message(2), message(3)}, activity_id(3)) == 3);
  CHECK(inbox.messages.store({message(2), message(4)}, activity_id(4)) == 1);
  CHECK(inbox.messages.oldest()->activity_id == activity_id(1));
  CHECK(inbox.messages.remove(activity_id(1)));
  CHECK_FALSE(inbox.messages.remove(activity_id(1)));
  CHECK_FALSE(inbox.messages.remove("no such id"));
  CHECK(inbox.messages.store({message(1)}, activity_id(4)) == 0);
  CHECK(inbox.messages.size() == 3);
  CHECK(inbox.messages.peek(2).size() == 2);
  CHECK(inbox.messages.peek(2)[0].activity_id == activity_id(2));
}

TEST_CASE_FIXTURE(Fixture, "inbox: ids ignore case") {
  Inbox inbox(folder.path(), clock, test::timing);
  Message upper = message(1);
  upper.activity_id = "ABCDEFAB-0000-4000-8000-000000000001";
  CHECK(inbox.messages.store({upper}, activity_id(1)) == 1);
  CHECK(inbox.messages.remove("abcdefab-0000-4000-8000-000000000001"));
  CHECK(inbox.messages.store({upper}, activity_id(1)) == 0);
}

TEST_CASE_FIXTURE(Fixture, "inbox: everything is there again after reopening") {
  {
    Inbox inbox(folder.path(), clock, test::timing);
    Message first = message(1, "für dich\n\"quoted\"");
    first.peer_id = test::peer_id;
    first.kind = "peer_agent";
    first.peer_name = "Анна";
    first.peer_role = "writer";
    inbox.messages.store({first, message(2)}, activity_id(2));
    inbox.messages.remove(activity_id(2));
  }
  Inbox inbox(folder.path(), clock, test::timing);
  CHECK(inbox.poll_state.cursor() == activity_id(2));
  const Message first = inbox.messages.oldest().value();
  CHECK(first.text == "für dich\n\"quoted\"");
  CHECK(first.peer_id == test::peer_id);
  CHECK(first.kind == "peer_agent");
  CHECK(first.method == "message/send");
  CHECK(first.created_at == "2026-05-01T10:00:00Z");
  CHECK(first.peer_name == "Анна");
  CHECK(first.peer_role == "writer");
  CHECK(inbox.messages.store({message(2)}, activity_id(2)) == 0);
}

TEST_CASE_FIXTURE(Fixture, "inbox: removed ids survive a clock that is wrong for a while") {
  Inbox inbox(folder.path(), clock, test::timing);
  inbox.messages.store({message(1), message(2), message(3)}, activity_id(3));
  inbox.messages.remove(activity_id(1));
  clock.step_wall(std::chrono::days(4000));
  inbox.messages.remove(activity_id(2));
  clock.step_wall(-std::chrono::days(4000));
  inbox.messages.remove(activity_id(3));
  CHECK(inbox.messages.store({message(1), message(2), message(3)}, activity_id(3)) == 0);
}

TEST_CASE_FIXTURE(Fixture, "inbox: removed ids are forgotten when they are old and many") {
  Inbox inbox(folder.path(), clock, test::timing);
  inbox.messages.store({message(1), message(2)}, activity_id(2));
  inbox.messages.remove(activity_id(1));
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
    inbox.messages.store({message(now_popped)}, activity_id(now_popped));
    inbox.messages.remove(activity_id(now_popped));
    return inbox.messages.store({message(1)}, activity_id(now_popped)) == 1;
  };
  clock.step_wall(std::chrono::hours(1));
  pop_many("a");
  CHECK_FALSE(forgets_first(3));
  clock.step_wall(std::chrono::days(34));
  CHECK_FALSE(forgets_first(4));
  clock.step_wall(std::chrono::days(1));
  CHECK(forgets_first(5));
  CHECK(inbox.messages.store({message(3), message(4)}, activity_id(5)) == 0);
}

TEST_CASE_FIXTURE(Fixture, "inbox: a stored card is valid as long as the one it replaced") {
  CHECK_FALSE(open().agent_card.instead_of("{}"));
  open().agent_card.keep(R"({"name":"Ann"})", "{}");
  CHECK(open().agent_card.instead_of("{}") == R"({"name":"Ann"})");
  CHECK_FALSE(open().agent_card.instead_of(R"({"name":"Ben"})"));
  open().agent_card.keep(R"({"name":"Cid"})", R"({"name":"Ben"})");
  CHECK_FALSE(open().agent_card.instead_of("{}"));
  CHECK(open().agent_card.instead_of(R"({"name":"Ben"})") == R"({"name":"Cid"})");
}

TEST_CASE_FIXTURE(Fixture, "inbox: the cursor file is written for the other runtime") {
  Inbox inbox(folder.path(), clock, test::timing);
  inbox.messages.store({}, activity_id(7));
  CHECK(content(cursor_file()) == activity_id(7));
  struct stat status{};
  REQUIRE(::stat(cursor_file().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  REQUIRE(::stat((folder.path() / "inbox.db").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  inbox.poll_state.forget_cursor(std::nullopt);
  CHECK_FALSE(std::filesystem::exists(cursor_file()));
  CHECK_FALSE(inbox.poll_state.cursor());
}

TEST_CASE_FIXTURE(Fixture, "inbox: a valid cursor file wins at the start, another does not") {
  {
    Inbox inbox(folder.path(), clock, test::timing);
    inbox.messages.store({}, activity_id(1));
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
    Inbox inbox(folder.path(), clock, test::timing);
    inbox.messages.store({message(1)}, activity_id(1));
  }
  const std::string old_cursor = content(cursor_file());
  {
    Inbox inbox(folder.path(), clock, test::timing);
    inbox.messages.store({message(2)}, activity_id(2));
    inbox.messages.remove(activity_id(2));
  }
  // As the kill leaves it: the database was written, the file was not.
  REQUIRE(files::replace(cursor_file(), old_cursor).ok());
  Inbox inbox(folder.path(), clock, test::timing);
  CHECK(inbox.ownership.claim());
  CHECK(inbox.poll_state.cursor() == activity_id(1));
  CHECK(inbox.messages.store({message(2), message(3)}, activity_id(3)) == 1);
  CHECK(inbox.messages.size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "inbox: kill -9 while it stores and removes leaves whole messages") {
  const auto child_work = [&](int ready) {
    test::VirtualClock child_clock;
    Inbox inbox(folder.path(), child_clock, test::timing);
    for (int i = 1; i < 100'000; ++i) {
      inbox.messages.store({message(2 * i), message(2 * i + 1)}, activity_id(2 * i + 1));
      inbox.messages.remove(activity_id(2 * i));
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

  Inbox inbox(folder.path(), clock, test::timing);
  const std::vector<Message> left = inbox.messages.peek(1'000'000);
  // A round that was not reported may have happened, in whole or up to its removal.
  CHECK(left.size() >= static_cast<std::size_t>(rounds));
  CHECK(left.size() <= static_cast<std::size_t>(rounds) + 2);
  for (int i = 1; i <= rounds; ++i) {
    CHECK(inbox.messages.store({message(2 * i), message(2 * i + 1)}, activity_id(2 * i + 1)) == 0);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "inbox: a full disk changes nothing, and it recovers once there is room") {
  Inbox inbox(folder.path(), clock, test::timing);
  inbox.messages.store({message(1)}, activity_id(1));
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit tight{.rlim_cur = 64 * 1024, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
  const std::string large(300'000, 'x');
  bool failed = false;
  try {
    inbox.messages.store({message(2), message(3, large)}, activity_id(3));
  } catch (const StoreError& error) {
    failed = error.kind() == StoreError::Kind::full;
  }
  const auto size = inbox.messages.size();
  const auto cursor = inbox.poll_state.cursor();
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(failed);
  CHECK(size == 1);
  CHECK(cursor == activity_id(1));
  CHECK(content(cursor_file()) == activity_id(1));
  CHECK(inbox.messages.store({message(2), message(3, large)}, activity_id(3)) == 2);
  CHECK(inbox.poll_state.cursor() == activity_id(3));
}

TEST_CASE_FIXTURE(Fixture, "inbox: a file that is not an inbox is named, and left alone") {
  const std::filesystem::path path = folder.path() / "inbox.db";
  std::string before;
  std::string reason;
  StoreError::Kind kind{};
  SUBCASE("not a database") {
    reason = "not a database";
    kind = StoreError::Kind::damaged;
    before = std::string(5000, 'z');
    std::ofstream(path) << before;
  }
  SUBCASE("another program's database") {
    reason = "another program's";
    kind = StoreError::Kind::not_ours;
    sqlite::Database other(path);
    other.execute("CREATE TABLE theirs(x); INSERT INTO theirs VALUES('keep me')");
  }
  SUBCASE("a newer version's") {
    reason = "newer version";
    kind = StoreError::Kind::newer;
    open().messages.size();
    sqlite::Database newer(path);
    newer.execute("PRAGMA user_version = 99");
  }
  for (int i = 0; i < 2; ++i) {
    Inbox inbox(folder.path(), clock, test::timing);
    std::string problem;
    try {
      inbox.messages.size();
    } catch (const StoreError& error) {
      problem = error.what();
      CHECK(error.kind() == kind);
    }
    CHECK(problem.find(path.string()) != std::string::npos);
    // The messages of a newer version's are worth more than a new file.
    const bool worthless = kind != StoreError::Kind::newer;
    CHECK((problem.find("move it away") != std::string::npos) == worthless);
    CHECK(problem.find(reason) != std::string::npos);
  }
  if (!before.empty()) {
    CHECK(content(path) == before);
  }
}

TEST_CASE_FIXTURE(Fixture, "inbox: the start of watching is kept until there is a cursor") {
  Inbox inbox(folder.path(), clock, test::timing);
  CHECK_FALSE(inbox.poll_state.watched_since());
  inbox.poll_state.watch_since(clock.wall());
  CHECK(inbox.poll_state.watched_since() == clock.wall());
  inbox.messages.store({message(1)}, activity_id(1));
  CHECK_FALSE(inbox.poll_state.watched_since());
  inbox.poll_state.forget_cursor(clock.wall() - std::chrono::hours(1));
  CHECK(inbox.poll_state.watched_since() == clock.wall() - std::chrono::hours(1));
  inbox.poll_state.forget_cursor(std::nullopt);
  CHECK_FALSE(inbox.poll_state.watched_since());
}

TEST_CASE_FIXTURE(Fixture, "inbox: an unknown cursor leaves its time") {
  const WallTime stored = clock.wall();
  const auto time_left = [&] {
    Inbox inbox(folder.path(), clock, test::timing);
    CHECK(inbox.ownership.claim());
    inbox.poll_state.forget_cursor(std::nullopt);
    return inbox.poll_state.watched_since();
  };
  SUBCASE("when it was stored") {
    open().messages.store({}, activity_id(1));
    clock.step_wall(std::chrono::hours(1));
    CHECK(time_left() == stored);
  }
  SUBCASE("when its row was created, if that is earlier") {
    open().messages.store({}, activity_id(1), 0, stored - std::chrono::hours(1));
    CHECK(time_left() == stored - std::chrono::hours(1));
  }
  SUBCASE("not a later time of a platform whose clock is ahead") {
    open().messages.store({}, activity_id(1), 0, stored + std::chrono::hours(1));
    CHECK(time_left() == stored);
  }
  SUBCASE("when the other runtime wrote it") {
    open().messages.store({}, activity_id(1));
    REQUIRE(files::replace(cursor_file(), activity_id(2)).ok());
    struct stat status{};
    REQUIRE(::stat(cursor_file().c_str(), &status) == 0);
    CHECK(time_left() == std::chrono::system_clock::from_time_t(status.st_mtime));
  }
}

TEST_CASE_FIXTURE(Fixture, "inbox: a small one at rest takes little memory") {
  // One process may have a thousand of them.
  const auto in_pages = [] {
    sqlite3_int64 now = 0;
    sqlite3_int64 highest = 0;
    sqlite3_status64(SQLITE_STATUS_PAGECACHE_OVERFLOW, &now, &highest, 0);
    return std::int64_t{now};
  };
  const std::int64_t pages_before = in_pages();
  const std::int64_t before = sqlite3_memory_used();
  Inbox inbox(folder.path(), clock, test::timing);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(inbox.ownership.claim());
    inbox.leases.free();
    inbox.workloads.forget_ended();
    inbox.database.changed_elsewhere();
    CHECK_FALSE(inbox.messages.full());
    CHECK_FALSE(inbox.poll_state.cursor());
    inbox.database.rest();
  }
  // The first page of the file is never freed while it is open.
  CHECK(in_pages() - pages_before <= std::int64_t{3} * 4200);
  // The connection, the schema and the statements stay; they differ between versions of SQLite.
  CHECK(sqlite3_memory_used() - before < std::int64_t{128} * 1024);
}

TEST_CASE_FIXTURE(Fixture, "inbox: in a hurry, opening the file does not wait for a lock either") {
  {
    Inbox first(folder.path(), clock, test::timing);
    first.messages.store({}, activity_id(1));
  }
  sqlite::Database other(folder.path() / "inbox.db");
  other.execute("PRAGMA locking_mode=EXCLUSIVE; BEGIN IMMEDIATE; DELETE FROM state;");
  Inbox inbox(folder.path(), clock, test::timing);
  const Database::FailFast fail_fast(inbox.database);
  const auto begin = std::chrono::steady_clock::now();
  bool busy = false;
  try {
    inbox.messages.add(message(1));
  } catch (const StoreError& error) {
    busy = error.busy();
  }
  CHECK(busy);
  CHECK(std::chrono::steady_clock::now() - begin < test::timing.lock_wait / 2);
}

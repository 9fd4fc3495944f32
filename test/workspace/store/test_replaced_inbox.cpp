// The inbox's file is removed or replaced, under a session or between two.
#include <doctest/doctest.h>

#include <filesystem>

#include "base/files/files.hpp"
#include "support/temporary_folder.hpp"
#include "support/virtual_clock.hpp"
#include "workspace/store/inbox/inbox.hpp"
#include "workspace/support.hpp"

using namespace molecule;
using namespace molecule::workspace;
using test::activity_id;
using test::message;

namespace {

struct Fixture {
  test::TemporaryFolder folder;
  test::VirtualClock clock;
  std::filesystem::path cursor_file = folder.path() / ".mcp_inbox_cursor";

  void remove_inbox() const {
    for (const char* name : {"inbox.db", "inbox.db-wal", "inbox.db-shm"}) {
      std::filesystem::remove(folder.path() / name);
    }
  }
  /// The owner has two messages, nobody has read the second.
  void fill(Inbox& inbox) const {
    REQUIRE(inbox.ownership.claim());
    inbox.messages.store({message(1), message(2)}, activity_id(2));
    inbox.messages.remove(activity_id(1));
    REQUIRE(std::filesystem::exists(cursor_file));
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "fault B1: an inbox that was removed is made again and looks back") {
  Inbox inbox(folder.path(), clock, test::timing);
  fill(inbox);
  CHECK_FALSE(inbox.database.changed_elsewhere());
  remove_inbox();
  CHECK(inbox.database.changed_elsewhere());
  CHECK(inbox.messages.size() == 0);
  CHECK(std::filesystem::exists(folder.path() / "inbox.db"));
  CHECK(inbox.database.openings() == 2);
  CHECK_FALSE(inbox.poll_state.cursor());
  CHECK(inbox.poll_state.watched_since());
  CHECK_FALSE(std::filesystem::exists(cursor_file));
  CHECK(inbox.ownership.claim());
  CHECK(inbox.ownership.claims() == 2);
  CHECK(inbox.messages.store({message(2)}, activity_id(2)) == 1);
  CHECK(Inbox(folder.path(), clock, test::timing).messages.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "fault B1: a folder that was removed is made again and looks back") {
  Inbox inbox(folder.path(), clock, test::timing);
  fill(inbox);
  std::filesystem::remove_all(folder.path());
  CHECK(inbox.messages.size() == 0);
  CHECK(std::filesystem::exists(folder.path() / "inbox.db"));
  CHECK_FALSE(inbox.poll_state.cursor());
  REQUIRE(inbox.poll_state.watched_since());
  CHECK(*inbox.poll_state.watched_since() == clock.wall() - test::timing.lost_inbox_look_back);
}

TEST_CASE_FIXTURE(Fixture, "fault B1: an action goes on with the file that it began with") {
  Inbox inbox(folder.path(), clock, test::timing);
  fill(inbox);
  inbox.database.use([&](sqlite::Database& db) {
    sqlite::Transaction transaction(db);
    remove_inbox();
    CHECK(inbox.messages.size() == 1);
    transaction.commit();
  });
  CHECK(inbox.messages.size() == 0);
}

TEST_CASE_FIXTURE(Fixture, "fault B1: a file that is no inbox in its place is refused") {
  Inbox inbox(folder.path(), clock, test::timing);
  fill(inbox);
  remove_inbox();
  REQUIRE(files::replace(folder.path() / "inbox.db", std::string(4096, 'x')));
  CHECK_THROWS_AS(inbox.messages.size(), StoreError);
  remove_inbox();
  CHECK(inbox.messages.size() == 0);
}

TEST_CASE_FIXTURE(Fixture, "fault B1: a new inbox beside an old cursor looks back") {
  {
    Inbox inbox(folder.path(), clock, test::timing);
    fill(inbox);
  }
  SUBCASE("of this program, whose inbox is lost") {
    remove_inbox();
    Inbox inbox(folder.path(), clock, test::timing);
    CHECK(inbox.ownership.claim());
    CHECK_FALSE(inbox.poll_state.cursor());
    CHECK(inbox.poll_state.watched_since());
  }
  SUBCASE("the inbox is still there") {
    Inbox inbox(folder.path(), clock, test::timing);
    CHECK(inbox.ownership.claim());
    CHECK(inbox.poll_state.cursor() == activity_id(2));
  }
  SUBCASE("of the Python runtime, which has none") {
    remove_inbox();
    std::filesystem::remove(folder.path() / "sessions.lock");
    Inbox inbox(folder.path(), clock, test::timing);
    CHECK(inbox.ownership.claim());
    CHECK(inbox.poll_state.cursor() == activity_id(2));
  }
}

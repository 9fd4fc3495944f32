// The inboxes of a process with many workspaces: their files are closed while nothing happens.
#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <filesystem>
#include <string>

#include "support/temporary_folder.hpp"
#include "support/virtual_clock.hpp"
#include "workspace/store/inbox/inbox.hpp"
#include "workspace/support.hpp"

using namespace molecule;
using namespace molecule::workspace;
using test::activity_id;
using test::message;

namespace {

/// So many that files are closed; the first one is looked at.
struct Fixture {
  static constexpr int count = 20;

  test::TemporaryFolder folder;
  test::VirtualClock clock;
  std::deque<Inbox> inboxes;
  Inbox* inbox = nullptr;

  Fixture() {
    for (int i = 0; i < count; ++i) {
      std::filesystem::create_directory(path(i));
      inboxes.emplace_back(path(i), clock, test::timing);
      REQUIRE(inboxes.back().ownership.claim());
    }
    inbox = &inboxes.front();
    inbox->messages.store({message(1)}, activity_id(1), 7);
  }

  std::filesystem::path path(int number) const { return folder.path() / std::to_string(number); }
  /// The regular work of some seconds.
  void rest() {
    for (int i = 0; i < 3; ++i) {
      clock.advance(test::timing.owner_check);
      REQUIRE(inbox->ownership.claim());
      if (inbox->idle.state() != nullptr) continue;
      inbox->database.changed_elsewhere();
      inbox->idle.rest();
    }
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "idle inbox: its file is closed, and the regular work goes on") {
  rest();
  REQUIRE(inbox->database.closed());
  CHECK(inbox->poll_state.cursor() == activity_id(1));
  CHECK(inbox->poll_state.handled_sequence() == 0);
  CHECK_FALSE(inbox->poll_state.watched_since());
  CHECK_FALSE(inbox->poll_state.broadcast_cursor());
  CHECK(inbox->messages.size() == 1);
  CHECK_FALSE(inbox->idle.empty());
  CHECK(inbox->ownership.claim());
  CHECK(inbox->ownership.claims() == 1);
  CHECK(inbox->database.closed());
  CHECK(inbox->messages.remove(activity_id(1)));
  CHECK_FALSE(inbox->database.closed());
  CHECK_FALSE(inbox->database.changed_elsewhere());
  rest();
  CHECK(inbox->idle.empty());
  CHECK(inbox->poll_state.handled_sequence() == 7);
}

TEST_CASE_FIXTURE(Fixture, "idle inbox: what another process writes is noticed") {
  rest();
  REQUIRE(inbox->database.closed());
  {
    Inbox other(path(0), clock, test::timing);
    other.messages.add(message(2));
  }
  clock.advance(std::chrono::milliseconds(50));
  CHECK(inbox->idle.state() == nullptr);
  CHECK(inbox->messages.size() == 2);
  CHECK(inbox->database.changed_elsewhere());
  CHECK_FALSE(inbox->database.changed_elsewhere());
  // The newest removals are told even if they were made while the file was closed.
  rest();
  REQUIRE(inbox->database.closed());
  Inbox(path(0), clock, test::timing).messages.remove(activity_id(2));
  CHECK(inbox->messages.newly_removed() == std::vector<std::string>{activity_id(2)});
}

TEST_CASE_FIXTURE(Fixture, "idle inbox: it stays open while a session has anything in it") {
  REQUIRE(inbox->leases.lease(activity_id(1)));
  rest();
  CHECK_FALSE(inbox->database.closed());
  inbox->leases.release();
  rest();
  CHECK(inbox->database.closed());
}

TEST_CASE_FIXTURE(Fixture, "idle inbox: one that is replaced is opened, and owned anew") {
  rest();
  REQUIRE(inbox->database.closed());
  std::filesystem::remove(path(0) / "inbox.db");
  clock.advance(test::timing.owner_check);
  CHECK(inbox->ownership.claim());
  CHECK(inbox->ownership.claims() == 2);
  CHECK(inbox->messages.size() == 0);
  CHECK(inbox->database.changed_elsewhere());
}

TEST_CASE_FIXTURE(Fixture, "idle inbox: another session takes over from one that is stopped") {
  rest();
  REQUIRE(inbox->database.closed());
  Inbox other(path(0), clock, test::timing);
  CHECK_FALSE(other.ownership.claim());
  clock.advance(test::timing.owner_liveness);
  CHECK(other.ownership.claim());
  CHECK_FALSE(inbox->ownership.claim());
  CHECK_THROWS_AS(inbox->messages.store({message(3)}, activity_id(3)), NotTheOwner);
  // Nor does it learn later that it is the owner.
  for (int i = 0; i < 5; ++i) {
    clock.advance(test::timing.owner_check);
    CHECK(other.ownership.claim());
    CHECK_FALSE(inbox->ownership.claim());
  }
}

TEST_CASE_FIXTURE(Fixture, "idle inbox: at the end the others need not wait for its liveness") {
  rest();
  REQUIRE(inbox->database.closed());
  Inbox other(path(0), clock, test::timing);
  CHECK_FALSE(other.ownership.claim());
  inbox->release();
  CHECK(inbox->database.closed());
  CHECK(other.ownership.claim());
}

TEST_CASE_FIXTURE(Fixture, "ownership: to stay the owner costs no write") {
  const auto lock = path(0) / "sessions.lock";
  const auto written = std::filesystem::last_write_time(lock);
  const auto database = std::filesystem::last_write_time(path(0) / "inbox.db-wal");
  for (int i = 0; i < 10; ++i) {
    clock.advance(test::timing.owner_check);
    CHECK(inbox->ownership.claim());
  }
  CHECK(std::filesystem::last_write_time(lock) == written);
  CHECK(std::filesystem::last_write_time(path(0) / "inbox.db-wal") == database);
  Inbox other(path(0), clock, test::timing);
  CHECK_FALSE(other.ownership.claim());
}

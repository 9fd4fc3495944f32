// Several sessions on one inbox: two `Inbox` objects are two sessions, as two processes are.

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "support/virtual_clock.hpp"
#include "workspace/support.hpp"
#include "workspace/sync/owner_role.hpp"
#include "workspace/workspaces.hpp"

using namespace molecule;
using namespace molecule::workspace;
using test::activity_id;
using test::message;

namespace {

struct Fixture {
  test::TemporaryFolder folder;
  test::VirtualClock clock;
  std::optional<Inbox> a{std::in_place, folder.path(), clock, test::timing};
  std::optional<Inbox> b{std::in_place, folder.path(), clock, test::timing};

  /// Takes a message for the session, as the tools do.
  static std::string take(Inbox& inbox) {
    const auto next = inbox.leases.next();
    if (!next || !inbox.leases.lease(next->activity_id, delivery::Event::wait)) return {};
    return next->activity_id;
  }
  static std::size_t announce(Inbox& inbox, std::size_t limit = 10) {
    return inbox.leases.announce(limit).messages.size();
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "leases: no message for two sessions, and none twice for one") {
  a->messages.store({message(1), message(2)}, activity_id(2));
  CHECK(take(*a) == activity_id(1));
  CHECK(take(*b) == activity_id(2));
  CHECK(take(*a).empty());
  CHECK(take(*b).empty());
  CHECK(b->messages.peek(10).size() == 2);
  CHECK_FALSE(b->leases.lease(activity_id(1)));
  CHECK(a->messages.remove(activity_id(1)));
  CHECK(take(*a).empty());
  CHECK_FALSE(a->leases.lease(activity_id(1)));
}

TEST_CASE_FIXTURE(Fixture, "leases: a session that ends in any way frees its messages") {
  a->messages.store({message(1)}, activity_id(1));
  CHECK(take(*a) == activity_id(1));
  CHECK(take(*b).empty());
  CHECK_FALSE(b->leases.free());
  SUBCASE("killed: the kernel closes its lock") {
    a.reset();
  }
  SUBCASE("ended normally") {
    a->release();
  }
  CHECK(take(*b) == activity_id(1));
}

TEST_CASE_FIXTURE(Fixture, "leases: a message of another running session is marked") {
  a->messages.store({message(1), message(2)}, activity_id(2));
  CHECK(take(*a) == activity_id(1));
  CHECK_FALSE(a->messages.peek(10).front().with_another_session);
  CHECK(b->messages.peek(10).front().with_another_session);
  CHECK(b->messages.find(activity_id(1))->with_another_session);
  CHECK_FALSE(b->messages.find(activity_id(2))->with_another_session);
  const auto own = b->leases.available(10);
  REQUIRE(own.size() == 1);
  CHECK(own.front().activity_id == activity_id(2));
  CHECK(a->leases.available(10).size() == 2);
  CHECK(b->messages.peek(10).size() == 2);
  SUBCASE("not once that one has ended") {
    a.reset();
  }
  SUBCASE("not once the lease has expired") {
    clock.advance(test::timing.lease);
  }
  CHECK_FALSE(b->messages.peek(10).front().with_another_session);
}

TEST_CASE_FIXTURE(Fixture, "leases: a lease expires after ten minutes of silence") {
  a->messages.store({message(1)}, activity_id(1));
  CHECK(take(*a) == activity_id(1));
  clock.advance(std::chrono::minutes(8));
  CHECK(a->leases.lease(activity_id(1)));
  clock.advance(std::chrono::minutes(8));
  CHECK(take(*b).empty());
  clock.advance(std::chrono::minutes(3));
  CHECK(b->leases.free());
  CHECK(take(*b) == activity_id(1));
  CHECK(take(*a).empty());
}

TEST_CASE_FIXTURE(Fixture, "leases: what was given ten minutes ago is given again") {
  a->messages.store({message(1)}, activity_id(1));
  CHECK(take(*a) == activity_id(1));
  clock.advance(std::chrono::minutes(6));
  CHECK(a->leases.lease(activity_id(1)));
  CHECK(take(*a).empty());
  clock.advance(std::chrono::minutes(4));
  CHECK(take(*b).empty());
  CHECK(take(*a) == activity_id(1));
  CHECK(take(*a).empty());
}

TEST_CASE_FIXTURE(Fixture, "leases: a push leases nothing, and is made once by one session") {
  a->messages.store({message(1), message(2), message(3)}, activity_id(3));
  CHECK(take(*b) == activity_id(1));
  CHECK(announce(*a, 1) == 1);
  CHECK(announce(*a) == 1);
  CHECK(announce(*a) == 0);
  CHECK(announce(*b) == 0);
  CHECK(b->messages.peek(10).back().with_another_session);
  CHECK(take(*b).empty());
  SUBCASE("nobody acts: any other session gets it, and another push may try") {
    clock.advance(test::timing.announcement);
    CHECK(b->leases.free());
    CHECK(announce(*a) == 0);
    CHECK(announce(*b) == 2);
    CHECK(take(*b) == activity_id(2));
  }
  SUBCASE("it acts") {
    a->leases.show({activity_id(2), activity_id(3)});
    clock.advance(std::chrono::minutes(1));
    CHECK(take(*b).empty());
    CHECK(take(*a).empty());
  }
  SUBCASE("another session acts first") {
    CHECK(b->leases.lease(activity_id(2)));
    CHECK(b->messages.remove(activity_id(3)));
    CHECK(a->leases.lost() == std::vector<std::string>{activity_id(2), activity_id(3)});
    CHECK(a->leases.lost().empty());
    CHECK(b->leases.lost().empty());
  }
  SUBCASE("it ends") {
    a.reset();
    CHECK(take(*b) == activity_id(2));
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "leases: a push leaves the message to a session that waits, for a second") {
  a->messages.store({message(1)}, activity_id(1));
  b->sessions.begin_wait();
  Leases::Announced first = a->leases.announce(10);
  CHECK(first.messages.empty());
  CHECK(first.held_back);
  // A look gives none away either.
  a->leases.show({activity_id(1)});
  CHECK(a->leases.open(10).messages.empty());
  SUBCASE("it is taken") {
    CHECK(take(*b) == activity_id(1));
    clock.advance(test::timing.push_hold);
    CHECK(announce(*a) == 0);
  }
  SUBCASE("it is not") {
    clock.advance(test::timing.push_hold);
    CHECK(announce(*a) == 1);
  }
  SUBCASE("the wait ends") {
    b->sessions.end_wait();
    CHECK(announce(*a) == 1);
  }
  SUBCASE("the session is killed") {
    b.reset();
    CHECK(announce(*a) == 1);
  }
}

TEST_CASE_FIXTURE(Fixture, "leases: what comes back is not pushed twice to one session") {
  a->messages.store({message(1), message(2)}, activity_id(2));
  CHECK(announce(*a) == 2);
  a->leases.show({activity_id(1), activity_id(2)});
  clock.advance(std::chrono::minutes(11));
  CHECK(b->leases.free());
  CHECK(announce(*a) == 0);
  CHECK(announce(*b) == 2);
}

TEST_CASE_FIXTURE(Fixture, "leases: work on one message keeps the others") {
  a->messages.store({message(1), message(2)}, activity_id(2));
  a->leases.show({activity_id(1), activity_id(2)});
  clock.advance(std::chrono::minutes(8));
  CHECK(a->messages.remove(activity_id(1)));
  clock.advance(std::chrono::minutes(8));
  CHECK_FALSE(b->leases.free());
  CHECK(take(*b).empty());
  const Leases::Open open = a->leases.open(10);
  REQUIRE(open.messages.size() == 1);
  CHECK(open.messages.front().activity_id == activity_id(2));
  CHECK(a->leases.open(0).more == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "leases: an answer is its asker's, first, and anybody's once that ended") {
  Message answer = message(2);
  answer.kind = "peer_agent";
  answer.peer_id = test::peer_id;
  answer.task_id = "task";
  Message other = answer;
  other.activity_id = activity_id(3);
  other.peer_id = test::self_id;
  a->messages.store({message(1), answer, other}, activity_id(3));
  // Also if the answer was faster.
  b->tasks.remember("task", test::peer_id, "what?");
  CHECK(a->messages.find(activity_id(2))->kind == "delegation_result");
  CHECK(a->messages.find(activity_id(2))->with_another_session);
  CHECK(a->messages.find(activity_id(3))->kind == "peer_agent");
  CHECK(a->messages.pop(activity_id(2)) == MessageStore::Popped::refused);
  CHECK_FALSE(a->leases.lease(activity_id(2)));
  SUBCASE("its asker") {
    CHECK(take(*b) == activity_id(2));
    CHECK(b->tasks.find("TASK")->answer->activity_id == activity_id(2));
    CHECK(b->messages.pop(activity_id(2)) == MessageStore::Popped::removed);
    CHECK(b->tasks.find("task")->answered);
    CHECK_FALSE(b->tasks.find("task")->answer);
  }
  SUBCASE("its asker has ended") {
    b.reset();
    CHECK(take(*a) == activity_id(2));
  }
  CHECK(take(*a) == activity_id(1));
  CHECK(take(*a) == activity_id(3));
}

TEST_CASE_FIXTURE(Fixture, "inbox: a pop spares what another session has") {
  a->messages.store({message(1)}, activity_id(1));
  CHECK(take(*a) == activity_id(1));
  CHECK(b->messages.pop(activity_id(1)) == MessageStore::Popped::refused);
  CHECK(b->messages.pop(activity_id(9)) == MessageStore::Popped::absent);
  a.reset();
  CHECK(b->messages.pop(activity_id(1)) == MessageStore::Popped::removed);
  CHECK(b->messages.pop(activity_id(1)) == MessageStore::Popped::absent);
}

TEST_CASE_FIXTURE(Fixture, "inbox: a message that is no row of the platform's is added once") {
  Message own = message(1);
  own.sequence = std::numeric_limits<std::int64_t>::max();
  CHECK(a->messages.add(own));
  CHECK_FALSE(b->messages.add(own));
  CHECK(take(*b) == activity_id(1));
  CHECK(b->messages.remove(activity_id(1)));
  CHECK_FALSE(b->messages.add(own));
}

TEST_CASE_FIXTURE(Fixture, "workload: a session sees the tasks of other running sessions") {
  std::optional<Inbox> c(std::in_place, folder.path(), clock, test::timing);
  a->workloads.publish({.active_tasks = 1, .current_task = "own"});
  b->workloads.publish({.active_tasks = 2, .current_task = "delegating to Ben"});
  c->workloads.publish({.active_tasks = 1, .current_task = "delegating to Cid"});
  CHECK(a->workloads.of_others().active_tasks == 3);
  CHECK(a->workloads.of_others().current_task.starts_with("delegating"));
  b->workloads.publish({.active_tasks = 1, .current_task = "delegating to Dan"});
  CHECK(a->workloads.of_others().active_tasks == 2);
  SUBCASE("idle again") {
    c->workloads.publish({});
  }
  SUBCASE("ended normally") {
    c->release();
  }
  SUBCASE("killed") {
    c.reset();
  }
  SUBCASE("killed, and seen by all") {
    c.reset();
    a->workloads.forget_ended();
    CHECK_FALSE(a->leases.free());
  }
  CHECK(a->workloads.of_others() == Load{.active_tasks = 1, .current_task = "delegating to Dan"});
}

TEST_CASE_FIXTURE(Fixture, "workload: publishing it waits for no other process") {
  a->messages.store({message(1)}, activity_id(1));
  b->messages.size();
  sqlite::Database writing(folder.path() / "inbox.db");
  std::optional<sqlite::Transaction> transaction(writing);
  // The shortest of several: the machine may be busy.
  auto shortest = std::chrono::steady_clock::duration::max();
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    CHECK_THROWS_AS(b->workloads.publish({.active_tasks = 1, .current_task = "x"}), StoreError);
    shortest = std::min(shortest, std::chrono::steady_clock::now() - start);
  }
  CHECK(shortest < std::chrono::milliseconds(200));
  transaction.reset();
  b->workloads.publish({.active_tasks = 1, .current_task = "x"});
  CHECK(a->workloads.of_others().active_tasks == 1);
}

TEST_CASE_FIXTURE(Fixture, "an inbox of an earlier version is migrated") {
  a->messages.store({message(1)}, activity_id(1));
  a.reset();
  b.reset();
  {
    sqlite::Database old(folder.path() / "inbox.db");
    old.execute(
        "DROP VIEW message_view; CREATE VIEW told AS SELECT * FROM messages;"
        "DROP TABLE announcements; DROP INDEX messages_task;"
        "ALTER TABLE leases DROP COLUMN given_at; ALTER TABLE tasks DROP COLUMN session;"
        "ALTER TABLE tasks DROP COLUMN answered; ALTER TABLE tasks DROP COLUMN conversation;"
        "ALTER TABLE messages DROP COLUMN hops; DROP TABLE turns; DROP TABLE conversations;"
        "DROP TABLE turn_log; DROP TABLE pairs; DROP TABLE handlers; PRAGMA user_version = 4");
    SUBCASE("version 5") {
      old.execute(
          "CREATE VIEW message_view AS SELECT m.*, '' AS task FROM messages m;"
          "PRAGMA user_version = 5");
    }
    SUBCASE("version 4") {}
    const auto back_to_3 = "DROP TABLE workloads; PRAGMA user_version = 3";
    SUBCASE("version 3") {
      old.execute(back_to_3);
    }
    const auto back_to_2 =
        "DROP VIEW told; DROP TABLE tasks; ALTER TABLE messages DROP COLUMN task_id;"
        "ALTER TABLE messages DROP COLUMN message_id;"
        "ALTER TABLE messages DROP COLUMN agent_card_url;"
        "DROP INDEX messages_sequence; ALTER TABLE messages DROP COLUMN sequence;"
        "PRAGMA user_version = 2";
    SUBCASE("version 2") {
      old.execute(back_to_3);
      old.execute(back_to_2);
    }
    SUBCASE("version 1") {
      old.execute(back_to_3);
      old.execute(back_to_2);
      old.execute("DROP TABLE leases; PRAGMA user_version = 1");
    }
  }
  a.emplace(folder.path(), clock, test::timing);
  CHECK(a->poll_state.handled_sequence() == 0);
  CHECK(take(*a) == activity_id(1));
  CHECK(a->workloads.of_others() == Load());
  CHECK(a->turns.candidates().at(0).activity_id == activity_id(1));
}

TEST_CASE_FIXTURE(Fixture,
                  "leases: the lock of a session is taken as soon as its file can be created") {
  const std::filesystem::path file = folder.path() / "sessions.lock";
  std::filesystem::create_directory(file);
  a->messages.store({message(1)}, activity_id(1));
  CHECK(take(*a) == activity_id(1));
  // Neither sees the other, and neither considers the other dead.
  CHECK(take(*b).empty());
  std::filesystem::remove(file);
  CHECK(a->leases.lease(activity_id(1)));
  CHECK(take(*b).empty());
  a.reset();
  CHECK(take(*b) == activity_id(1));
}

TEST_CASE_FIXTURE(Fixture, "ownership: one at a time, and the next one when it ends") {
  CHECK(a->ownership.claim());
  CHECK_FALSE(b->ownership.claim());
  CHECK(a->ownership.claim());
  SUBCASE("it ends") {
    a.reset();
  }
  SUBCASE("it ends normally") {
    a->release();
  }
  SUBCASE("it is stopped for longer than its liveness lasts") {
    clock.advance(test::timing.owner_liveness);
  }
  CHECK(b->ownership.claim());
}

TEST_CASE_FIXTURE(Fixture, "ownership: a stopped owner is replaced within a poll interval") {
  CHECK(a->ownership.claim());
  CHECK(a->sessions.next_check() == test::timing.owner_check);
  const Clock::time_point stopped = clock.now();
  // The other one first checks at the worst moment.
  clock.advance(std::chrono::microseconds(1));
  while (!b->ownership.claim()) clock.advance(b->sessions.next_check());
  CHECK(clock.now() - stopped <= std::chrono::seconds(5));
  CHECK(b->sessions.next_check() == test::timing.owner_check);
}

TEST_CASE_FIXTURE(Fixture, "ownership: liveness keeps it, steps of the calendar do not matter") {
  CHECK(a->ownership.claim());
  for (int i = 0; i < 10; ++i) {
    clock.advance(test::timing.owner_check);
    clock.step_wall(std::chrono::hours(i % 2 == 0 ? 1000 : -2000));
    CHECK(a->ownership.claim());
    CHECK_FALSE(b->ownership.claim());
  }
}

TEST_CASE_FIXTURE(Fixture, "ownership: a session that serves in part yields to a complete one") {
  b->sessions.serve_in_part();
  SUBCASE("with an inbox") {
    OwnerRole part(test::self_id, *b, folder.path(), clock);
    OwnerRole full(test::self_id, *a, folder.path(), clock);
    CHECK(part.owns());
    CHECK(full.owns());
    CHECK_FALSE(part.owns());
    CHECK(full.owns());
    // It is stopped, and continues when the other one owns the workspace.
    clock.advance(std::chrono::seconds(5));
    CHECK(part.owns());
    CHECK(full.owns());
    CHECK(full.term() == 2);
    CHECK_FALSE(part.owns());
    a->release();
    CHECK(part.owns());
  }
  SUBCASE("without a usable inbox") {
    std::filesystem::create_directory(folder.path() / "inbox.db");
    OwnerRole part(test::self_id, *b, folder.path(), clock);
    OwnerRole full(test::self_id, *a, folder.path(), clock);
    CHECK(part.owns());
    CHECK(full.owns());
    CHECK_FALSE(part.owns());
    CHECK(full.owns());
    clock.advance(std::chrono::seconds(5));
    CHECK(part.owns());
  }
}

TEST_CASE_FIXTURE(Fixture, "ownership: of two sessions that serve in part, one is the owner") {
  a->sessions.serve_in_part();
  b->sessions.serve_in_part();
  CHECK(a->ownership.claim());
  CHECK_FALSE(b->ownership.claim());
  a->release();
  CHECK(b->ownership.claim());
}

TEST_CASE_FIXTURE(Fixture, "ownership: a woken former owner writes nothing and steps back") {
  CHECK(a->ownership.claim());
  a->messages.store({message(1)}, activity_id(1));
  clock.advance(std::chrono::seconds(60));
  CHECK(b->ownership.claim());
  b->messages.store({message(2)}, activity_id(2));
  CHECK_THROWS_AS(a->messages.store({message(3)}, activity_id(1)), NotTheOwner);
  CHECK_THROWS_AS(a->poll_state.forget_cursor(std::nullopt), NotTheOwner);
  CHECK_THROWS_AS(a->poll_state.watch_since(clock.wall()), NotTheOwner);
  CHECK(b->poll_state.cursor() == activity_id(2));
  CHECK(b->messages.size() == 2);
  CHECK_FALSE(a->ownership.claim());
  CHECK(a->messages.remove(activity_id(2)));
}

TEST_CASE_FIXTURE(
    Fixture, "ownership: without a usable inbox one session still keeps the workspace online") {
  a.reset();
  b.reset();
  std::filesystem::create_directory(folder.path() / "inbox.db");
  a.emplace(folder.path(), clock, test::timing);
  b.emplace(folder.path(), clock, test::timing);
  OwnerRole first(test::self_id, *a, folder.path(), clock);
  OwnerRole second(test::self_id, *b, folder.path(), clock);
  CHECK(first.owns());
  CHECK_FALSE(second.owns());
  CHECK(first.owns());
  std::filesystem::remove(folder.path() / "inbox.db");
  CHECK(first.owns());
  CHECK_FALSE(second.owns());
  a.reset();
}

TEST_CASE_FIXTURE(Fixture, "ownership: a former owner that wakes up leaves the record alone") {
  OwnerRole first(test::self_id, *a, folder.path(), clock);
  OwnerRole second(test::self_id, *b, folder.path(), clock);
  REQUIRE(first.owns());
  first.status().failed("heartbeat: it is slow");
  clock.advance(test::timing.owner_liveness);
  REQUIRE(second.owns());
  second.status().heartbeat_sent();
  const auto recorded = read_owner_record(folder.path());
  REQUIRE(recorded);
  CHECK(recorded->session == b->sessions.self());
  SUBCASE("an answer that was on its way") {
    first.status().heartbeat_sent();
  }
  SUBCASE("one that failed meanwhile") {
    first.status().failed("heartbeat: timed out");
  }
  SUBCASE("a poll") {
    first.status().polled();
  }
  const auto now = read_owner_record(folder.path());
  REQUIRE(now);
  CHECK(now->session == b->sessions.self());
  CHECK(now->last_error.empty());
  // As the owner again, it begins a new record.
  clock.advance(test::timing.owner_liveness);
  first.status().polled();
  const auto again = read_owner_record(folder.path());
  REQUIRE(again);
  CHECK(again->session == a->sessions.self());
  CHECK(again->since == clock.wall());
  CHECK_FALSE(again->last_heartbeat);
}

TEST_CASE_FIXTURE(Fixture, "leases: another process's commits are seen, own ones are not") {
  CHECK_FALSE(b->database.changed_elsewhere());
  a->messages.store({message(1)}, activity_id(1));
  CHECK(b->database.changed_elsewhere());
  CHECK_FALSE(b->database.changed_elsewhere());
  a->messages.remove(activity_id(1));
  CHECK(b->database.changed_elsewhere());
  a->database.changed_elsewhere();
  a->messages.store({message(2)}, activity_id(2));
  CHECK_FALSE(a->database.changed_elsewhere());
}

TEST_CASE_FIXTURE(Fixture, "inbox: each session learns once of every removed message") {
  const auto id = [](int number) { return std::vector<std::string>{activity_id(number)}; };
  a->messages.store({message(1), message(2), message(3)}, activity_id(3));
  a->messages.remove(activity_id(1));
  CHECK(b->messages.newly_removed().empty());
  CHECK(a->messages.newly_removed() == id(1));
  CHECK(a->messages.newly_removed().empty());
  b->messages.remove(activity_id(2));
  CHECK(a->messages.newly_removed() == id(2));
  clock.step_wall(-std::chrono::hours(1));
  a->messages.remove(activity_id(3));
  CHECK(b->messages.newly_removed() == std::vector<std::string>{activity_id(2), activity_id(3)});
  CHECK(a->messages.newly_removed() == id(3));
}

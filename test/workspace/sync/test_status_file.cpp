#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "support/temporary_folder.hpp"
#include "support/virtual_clock.hpp"
#include "workspace/store/inbox/inbox.hpp"
#include "workspace/store/stored_state.hpp"
#include "workspace/support.hpp"
#include "workspace/sync/owner_role.hpp"
#include "workspace/sync/report/status_file.hpp"

using namespace molecule;
using namespace molecule::workspace;

namespace {

struct Fixture {
  test::TemporaryFolder folder;
  test::VirtualClock clock;
  std::filesystem::path path = folder.path() / "status.json";
  OwnerRecord read() const {
    const auto record = read_owner_record(folder.path());
    REQUIRE(record.has_value());
    return *record;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "status file: the owner's record is read back") {
  StatusFile file(folder.path(), clock);
  CHECK_FALSE(std::filesystem::exists(path));
  file.heartbeat_sent();
  CHECK_FALSE(read_owner_record(folder.path()));
  file.begin(77);
  CHECK(read().session == 77);
  CHECK(read().pid == ::getpid());
  CHECK(read().since == clock.wall());
  CHECK_FALSE(read().last_heartbeat);
  CHECK(read().last_error.empty());
  file.heartbeat_sent();
  file.polled();
  CHECK(read().last_heartbeat == clock.wall());
  CHECK(read().last_poll == clock.wall());
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE_FIXTURE(Fixture, "status file: that all is still well is written seldom") {
  StatusFile file(folder.path(), clock, std::chrono::seconds(30));
  file.begin(1);
  file.polled();
  file.heartbeat_sent();
  const WallTime first = clock.wall();
  CHECK(read().last_heartbeat == first);
  clock.advance(std::chrono::seconds(20));
  file.polled();
  CHECK(read().last_poll == first);
  SUBCASE("but news at once") {
    file.polled(true);
    CHECK(read().last_poll == clock.wall());
  }
  SUBCASE("and so are troubles and their end") {
    file.failed(StatusFile::Part::inbox, "broken", "mend it");
    CHECK(read().trouble);
    file.polled();
    CHECK_FALSE(read().trouble);
  }
  SUBCASE("until it is due") {
    clock.advance(std::chrono::seconds(10));
    file.heartbeat_sent();
    CHECK(read().last_poll == clock.wall() - std::chrono::seconds(10));
    CHECK(read().last_heartbeat == clock.wall());
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "status file: the record stays whole and of one size, whatever the error") {
  StatusFile file(folder.path(), clock);
  file.begin(1);
  const auto size = std::filesystem::file_size(path);
  for (const std::string& text :
       {std::string(5000, '"'), std::string(5000, '\x01'), std::string("\xff\xfe"),
        std::string("two\nlines"), std::string("short")}) {
    file.failed(StatusFile::Part::inbox, text, text);
    CHECK(std::filesystem::file_size(path) == size);
    CHECK(read().last_error_at == clock.wall());
    CHECK(read().last_error.find('\n') == std::string::npos);
  }
  CHECK(read().last_error == "short");
  CHECK(read().trouble.value().what == "short");
  file.begin(2);
  CHECK(read().last_error.empty());
}

TEST_CASE_FIXTURE(Fixture, "fault A7: the record says what fails, since when, and what to do") {
  using Part = StatusFile::Part;
  StatusFile file(folder.path(), clock);
  file.begin(1);
  CHECK_FALSE(read().trouble);
  const WallTime first = clock.wall();
  file.failed(Part::presence, "heartbeat: 503", "Wait.");
  clock.advance(std::chrono::minutes(1));
  const WallTime second = clock.wall();
  file.failed(Part::inbox, "inbox: 401", "Get a token.");
  clock.advance(std::chrono::minutes(1));
  file.failed(Part::inbox, "inbox: still 401", "Get a token.");
  CHECK(read().trouble.value().what == "inbox: still 401");
  CHECK(read().trouble.value().since == second);
  CHECK(read().trouble.value().next == "Get a token.");
  file.polled();
  CHECK(read().trouble.value().what == "heartbeat: 503");
  CHECK(read().trouble.value().since == first);
  file.heartbeat_sent();
  CHECK_FALSE(read().trouble);
  CHECK(read().last_error == "inbox: still 401");
  file.failed(Part::inbox, "x", "y");
  file.begin(2);
  CHECK_FALSE(read().trouble);
}

TEST_CASE_FIXTURE(Fixture, "status file: a record that cannot be written is skipped") {
  StatusFile file(folder.path() / "nowhere", clock);
  file.begin(1);
  file.polled();
  CHECK_FALSE(read_owner_record(folder.path() / "nowhere"));
}

TEST_CASE_FIXTURE(Fixture, "stored state: an owner that resigns says why, until it ends") {
  std::optional<Inbox> inbox(std::in_place, folder.path(), clock, test::timing);
  std::optional<OwnerRole> ownership(std::in_place, test::self_id, *inbox, folder.path(), clock);
  REQUIRE(ownership->owns());
  ownership->resign("the token was refused");
  ownership->status().polled();
  CHECK_FALSE(ownership->owns());
  const StoredState state = read_stored_state(folder.path(), clock, test::timing);
  CHECK(state.owner == OwnerState::disabled);
  REQUIRE(state.record);
  CHECK(state.record->last_error == "the token was refused");
  CHECK_FALSE(state.record->last_poll);
  SUBCASE("another takes over at once") {
    Inbox other(folder.path(), clock, test::timing);
    OwnerRole next(test::self_id, other, folder.path(), clock);
    CHECK(next.owns());
    CHECK(read_stored_state(folder.path(), clock, test::timing).owner == OwnerState::active);
    ownership->resign("again");
    CHECK(next.owns());
    CHECK(read_stored_state(folder.path(), clock, test::timing).owner == OwnerState::active);
  }
  SUBCASE("it tries again") {
    ownership->undo_resign();
    CHECK(ownership->owns());
    CHECK(read_stored_state(folder.path(), clock, test::timing).owner == OwnerState::active);
  }
  SUBCASE("it ends") {
    ownership.reset();
    inbox.reset();
    CHECK(read_stored_state(folder.path(), clock, test::timing).owner == OwnerState::none);
  }
}

TEST_CASE_FIXTURE(Fixture, "stored state: reading creates nothing") {
  const StoredState state = read_stored_state(folder.path(), clock, test::timing);
  CHECK_FALSE(state.exists);
  CHECK(state.problem.empty());
  CHECK(state.owner == OwnerState::none);
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE_FIXTURE(Fixture, "stored state: the owner, its record, and the messages it handed out") {
  Inbox inbox(folder.path(), clock, test::timing);
  REQUIRE(inbox.ownership.claim());
  Message message;
  message.activity_id = "11111111-1111-4111-8111-111111111111";
  Message other = message;
  other.activity_id = "22222222-2222-4222-8222-222222222222";
  inbox.messages.store({message, other}, other.activity_id);
  REQUIRE(inbox.leases.lease(message.activity_id));
  StatusFile file(folder.path(), clock);
  file.begin(inbox.sessions.self());
  StoredState state = read_stored_state(folder.path(), clock, test::timing);
  CHECK(state.exists);
  CHECK(state.waiting == 2);
  CHECK(state.handed_out == 1);
  CHECK(state.cursor == other.activity_id);
  CHECK(state.owner == OwnerState::active);
  clock.advance(test::timing.owner_liveness);
  CHECK(read_stored_state(folder.path(), clock, test::timing).owner == OwnerState::stopped);
}

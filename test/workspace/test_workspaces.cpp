#include <doctest/doctest.h>

#include "support/temporary_folder.hpp"
#include "support/virtual_clock.hpp"
#include "workspace/support.hpp"
#include "workspace/workspaces.hpp"

using namespace molecule;
using namespace molecule::workspace;
using test::activity_id;
using test::message;

namespace {

awaitable<void> wait_into(Workspaces& workspaces, Clock::time_point deadline,
                          std::optional<Workspaces::Arrival>& into, bool& done) {
  into = co_await workspaces.wait_until(deadline);
  done = true;
}

struct Fixture {
  test::TemporaryFolder folder;
  test::VirtualClock clock;
  asio::io_context loop;
  net::HttpClient http{loop.get_executor()};
  Config config = configuration();
  Workspaces workspaces{config, loop.get_executor(), http, clock};
  std::optional<Workspaces::Arrival> got;
  bool done = false;

  Config configuration() const {
    Config two;
    for (const std::string& id : {test::self_id, test::peer_id}) {
      WorkspaceConfig& one = two.workspaces.emplace_back();
      one.id = id;
      one.platform_url = "http://127.0.0.1:1";
      one.token.environment = test::environment_of({{"MOLECULE_WORKSPACE_TOKEN", "t"}});
      one.state_folder = folder.path() / id;
      std::filesystem::create_directory(one.state_folder);
    }
    return two;
  }
  Inbox& inbox(const std::string& id) { return workspaces.find(id)->inbox; }
  /// As the poller does.
  void deliver(const std::string& id, int number) {
    inbox(id).messages.store({message(number)}, activity_id(number));
    workspaces.find(id)->changes.messages_changed();
  }
  void start_wait() {
    done = false;
    asio::co_spawn(loop, wait_into(workspaces, clock.now() + std::chrono::seconds(50), got, done),
                   [](std::exception_ptr) {});
    loop.restart();
    loop.poll();
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "workspaces: waiting ends with a message of any inbox, or at the deadline") {
  start_wait();
  CHECK_FALSE(done);
  deliver(test::peer_id, 1);
  loop.poll();
  REQUIRE(done);
  CHECK(got->message.activity_id == activity_id(1));
  CHECK(got->message.arrival_workspace_id == test::peer_id);
  CHECK(inbox(test::peer_id).messages.size() == 1);

  CHECK(workspaces.remove(activity_id(1)));
  start_wait();
  clock.advance(std::chrono::seconds(49));
  loop.poll();
  CHECK_FALSE(done);
  clock.advance(std::chrono::seconds(2));
  loop.poll();
  CHECK(done);
  CHECK_FALSE(got);
}

TEST_CASE_FIXTURE(Fixture, "workspaces: a removal changes the messages, once") {
  deliver(test::self_id, 1);
  const std::uint64_t before = workspaces.first().changes.messages();
  CHECK(workspaces.remove(activity_id(1)));
  CHECK_FALSE(workspaces.remove(activity_id(1)));
  CHECK(workspaces.first().changes.messages() == before + 1);
  CHECK(workspaces.find(test::peer_id)->changes.messages() == 0);
}

TEST_CASE_FIXTURE(Fixture, "workspaces: an unreadable inbox does not affect the others") {
  std::filesystem::create_directory(folder.path() / test::self_id / "inbox.db");
  deliver(test::peer_id, 1);
  REQUIRE(workspaces.take());
  CHECK(workspaces.peek(10).size() == 1);
  CHECK(workspaces.find_message(activity_id(1))->workspace->id() == test::peer_id);
  CHECK_THROWS_AS(workspaces.find_message(activity_id(2)), StoreError);
  CHECK_THROWS_AS(workspaces.remove(activity_id(2)), StoreError);
  CHECK(workspaces.remove(activity_id(1)));
  CHECK_FALSE(workspaces.take());
}

TEST_CASE_FIXTURE(Fixture,
                  "workspaces: a disabled workspace's messages are left to other sessions") {
  deliver(test::peer_id, 1);
  start_wait();
  REQUIRE(done);
  Inbox other(folder.path() / test::peer_id, clock, test::timing);
  CHECK_FALSE(other.leases.lease(activity_id(1)));
  workspaces.find(test::peer_id)->disable(Workspace::Use::rejected, "its token was rejected");
  CHECK(other.leases.lease(activity_id(1)));
  other.messages.store({message(2)}, activity_id(2));
  deliver(test::self_id, 3);
  start_wait();
  REQUIRE(done);
  CHECK(got->message.activity_id == activity_id(3));
  CHECK(workspaces.remove(activity_id(3)));
  start_wait();
  CHECK_FALSE(done);
  CHECK(other.leases.lease(activity_id(2)));
  deliver(test::self_id, 4);
  loop.poll();
  REQUIRE(done);
  CHECK(got->message.activity_id == activity_id(4));
}

TEST_CASE_FIXTURE(
    Fixture,
    "workspaces: a workload that could not be published at once is published at the next check") {
  const std::filesystem::path state = folder.path() / test::self_id;
  Inbox owner(state, clock, test::timing);
  REQUIRE(owner.ownership.claim());
  TaskGroup tasks(loop.get_executor(), clock, [](std::string_view, std::exception_ptr) {});
  workspaces.start(tasks);
  loop.poll();
  sqlite::Database writing(state / "inbox.db");
  std::optional<sqlite::Transaction> transaction(writing);
  const Workload::Task task(workspaces.first().workload, "delegating to Ben");
  CHECK(owner.workloads.of_others() == Load());
  transaction.reset();
  clock.advance(test::timing.owner_check);
  loop.poll();
  CHECK(owner.workloads.of_others() ==
        Load{.active_tasks = 1, .current_task = "delegating to Ben"});
  tasks.cancel_all();
  while (tasks.size() > 0 && loop.run_one_for(std::chrono::seconds(5)) > 0) {
  }
}

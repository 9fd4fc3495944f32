// Clocks, events and task groups.
#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "base/async/clock.hpp"
#include "base/async/event.hpp"
#include "base/async/tasks.hpp"
#include "support/run.hpp"
#include "support/virtual_clock.hpp"

using namespace molecule;
using namespace std::chrono_literals;

namespace {

struct Fixture {
  Fixture()
      : tasks(loop.get_executor(), clock,
              [this](std::string_view task, std::exception_ptr) { failures.emplace_back(task); }) {}
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  ~Fixture() {
    tasks.cancel_all();
    settle();
    CHECK(tasks.size() == 0);
  }

  /// Runs whatever can run without time passing.
  void settle() {
    loop.restart();
    loop.poll();
  }
  void advance(Clock::duration by) {
    clock.advance(by);
    settle();
  }

  asio::io_context loop;
  test::VirtualClock clock;
  std::vector<std::string> failures;
  std::vector<std::string> log;
  TaskGroup tasks;
};

awaitable<void> sleeper(Fixture& house, Clock::duration time, std::string name) {
  try {
    co_await sleep_for(house.clock, time);
    house.log.push_back(name + " woke");
  } catch (const std::system_error& error) {
    CHECK(error.code() == asio::error::operation_aborted);
    house.log.push_back(name + " cancelled");
    throw;
  }
}

awaitable<void> waiter(Fixture& house, Event& event, const bool& ready, std::string name) {
  while (!ready) co_await event.wait();
  house.log.push_back(name + " saw it");
}

awaitable<void> patient(Fixture& house, Event& event, Clock::duration time) {
  const Clock::time_point deadline = house.clock.now() + time;
  const bool notified = co_await event.wait_until(deadline);
  house.log.push_back(notified ? "notified" : "too late");
}

awaitable<void> thrower() {
  throw std::runtime_error("wrong");
  co_return;
}

awaitable<void> joiner(Fixture& house, TaskGroup& group) {
  co_await group.join();
  house.log.emplace_back("joined");
}

}  // namespace

TEST_CASE("sleepers wake when their time has come, not before") {
  Fixture house;
  house.tasks.spawn("a", sleeper(house, 10s, "a"));
  house.tasks.spawn("b", sleeper(house, 5s, "b"));
  house.settle();
  house.advance(4999ms);
  CHECK(house.log.empty());
  house.advance(1ms);
  CHECK(house.log == std::vector<std::string>{"b woke"});
  house.advance(1h);
  CHECK(house.log == std::vector<std::string>{"b woke", "a woke"});
  CHECK(house.tasks.size() == 0);
}

TEST_CASE("a deadline in the past does not sleep") {
  Fixture house;
  house.tasks.spawn("a", sleeper(house, -1s, "a"));
  house.settle();
  CHECK(house.log == std::vector<std::string>{"a woke"});
}

TEST_CASE("a calendar that jumps wakes nobody") {
  Fixture house;
  house.tasks.spawn("a", sleeper(house, 10s, "a"));
  house.settle();
  const auto before = house.clock.wall();
  house.clock.step_wall(24h);
  house.settle();
  CHECK(house.clock.wall() - before == 24h);
  CHECK(house.log.empty());
}

TEST_CASE("the system's clock sleeps as well") {
  asio::io_context loop;
  SystemClock clock;
  const auto begin = clock.now();
  test::run(loop, sleep_for(clock, 20ms));
  CHECK(clock.now() - begin >= 20ms);
  CHECK(clock.wall() > std::chrono::system_clock::time_point());
}

TEST_CASE("one of several sleepers is cancelled") {
  Fixture house;
  house.tasks.spawn("a", sleeper(house, 10s, "a"));
  const auto id = house.tasks.spawn("b", sleeper(house, 10s, "b"));
  house.settle();
  house.tasks.cancel(id);
  house.settle();
  CHECK(house.log == std::vector<std::string>{"b cancelled"});
  CHECK(house.tasks.size() == 1);
  CHECK(house.failures.empty());
  house.tasks.cancel(id);
  house.tasks.cancel(12345);
  house.settle();
  CHECK(house.tasks.size() == 1);
}

TEST_CASE("a task that is cancelled before it began does not sleep") {
  Fixture house;
  house.tasks.cancel(house.tasks.spawn("a", sleeper(house, 10s, "a")));
  house.settle();
  CHECK(house.tasks.size() == 0);
  CHECK(house.failures.empty());
}

TEST_CASE("an event wakes all who wait, and each looks again") {
  Fixture house;
  Event event(house.clock);
  bool ready = false;
  house.tasks.spawn("a", waiter(house, event, ready, "a"));
  house.tasks.spawn("b", waiter(house, event, ready, "b"));
  house.settle();
  event.notify_all();
  house.settle();
  CHECK(house.log.empty());
  ready = true;
  event.notify_all();
  event.notify_all();
  house.settle();
  CHECK(house.log == std::vector<std::string>{"a saw it", "b saw it"});
}

TEST_CASE("a wait has a deadline") {
  Fixture house;
  Event event(house.clock);
  house.tasks.spawn("a", patient(house, event, 10s));
  house.settle();
  SUBCASE("that comes first") {
    house.advance(10s);
    CHECK(house.log == std::vector<std::string>{"too late"});
    event.notify_all();
  }
  SUBCASE("that comes too late") {
    house.advance(9s);
    event.notify_all();
    house.advance(9s);
    CHECK(house.log == std::vector<std::string>{"notified"});
  }
  SUBCASE("that comes at the same time") {
    event.notify_all();
    house.advance(10s);
    CHECK(house.log == std::vector<std::string>{"notified"});
  }
  SUBCASE("and is cancelled") {
    house.tasks.cancel_all();
    house.settle();
    CHECK(house.log.empty());
    event.notify_all();
  }
  CHECK(house.tasks.size() == 0);
}

TEST_CASE("a deadline in the past is too late at once") {
  Fixture house;
  Event event(house.clock);
  house.tasks.spawn("a", patient(house, event, -1s));
  house.settle();
  CHECK(house.log == std::vector<std::string>{"too late"});
}

TEST_CASE("an escaped exception is reported with the task's name") {
  Fixture house;
  house.tasks.spawn("bad", thrower());
  house.tasks.spawn("good", sleeper(house, 1s, "good"));
  house.settle();
  CHECK(house.failures == std::vector<std::string>{"bad"});
  CHECK(house.tasks.size() == 1);
}

TEST_CASE("join returns when all have ended") {
  Fixture house;
  TaskGroup group(house.loop.get_executor(), house.clock, nullptr);
  group.spawn("a", sleeper(house, 1s, "a"));
  group.spawn("b", sleeper(house, 2s, "b"));
  house.tasks.spawn("joiner", joiner(house, group));
  house.settle();
  house.advance(1s);
  CHECK(house.log == std::vector<std::string>{"a woke"});
  group.cancel_all();
  house.settle();
  CHECK(house.log == std::vector<std::string>{"a woke", "b cancelled", "joined"});
  house.tasks.spawn("joiner", joiner(house, group));
  house.settle();
  CHECK(house.log.size() == 4);
}

TEST_CASE("the loop may end under sleepers and waiters") {
  test::VirtualClock clock;
  const bool never = false;
  Event event(clock);
  std::vector<std::string> log;
  {
    asio::io_context loop;
    TaskGroup tasks(loop.get_executor(), clock, nullptr);
    struct Late {
      static awaitable<void> sleep(Clock& clock) { co_await sleep_for(clock, 1h); }
      static awaitable<void> wait(Event& event, const bool& ready) {
        while (!ready) co_await event.wait();
      }
    };
    tasks.spawn("sleep", Late::sleep(clock));
    tasks.spawn("wait", Late::wait(event, never));
    loop.poll();
  }
  CHECK(clock.next() == Clock::time_point::max());
  event.notify_all();
}

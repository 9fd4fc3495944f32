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

  /// Runs everything that can run without time passing.
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

awaitable<void> sleeper(Fixture& fixture, Clock::duration time, std::string name) {
  try {
    co_await sleep_for(fixture.clock, time);
    fixture.log.push_back(name + " woke");
  } catch (const std::system_error& error) {
    CHECK(error.code() == asio::error::operation_aborted);
    fixture.log.push_back(name + " cancelled");
    throw;
  }
}

awaitable<void> waiter(Fixture& fixture, Event& event, const bool& ready, std::string name) {
  while (!ready) co_await event.wait();
  fixture.log.push_back(name + " saw it");
}

awaitable<void> patient(Fixture& fixture, Event& event, Clock::duration time) {
  const Clock::time_point deadline = fixture.clock.now() + time;
  const bool notified = co_await event.wait_until(deadline);
  fixture.log.push_back(notified ? "notified" : "too late");
}

awaitable<void> thrower() {
  throw std::runtime_error("wrong");
  co_return;
}

awaitable<void> joiner(Fixture& fixture, TaskGroup& group) {
  co_await group.join();
  fixture.log.emplace_back("joined");
}

}  // namespace

TEST_CASE("sleepers wake at their deadline, not before") {
  Fixture fixture;
  fixture.tasks.spawn("a", sleeper(fixture, 10s, "a"));
  fixture.tasks.spawn("b", sleeper(fixture, 5s, "b"));
  fixture.settle();
  fixture.advance(4999ms);
  CHECK(fixture.log.empty());
  fixture.advance(1ms);
  CHECK(fixture.log == std::vector<std::string>{"b woke"});
  fixture.advance(1h);
  CHECK(fixture.log == std::vector<std::string>{"b woke", "a woke"});
  CHECK(fixture.tasks.size() == 0);
}

TEST_CASE("a deadline in the past does not sleep") {
  Fixture fixture;
  fixture.tasks.spawn("a", sleeper(fixture, -1s, "a"));
  fixture.settle();
  CHECK(fixture.log == std::vector<std::string>{"a woke"});
}

TEST_CASE("a jump of the wall clock wakes no sleeper") {
  Fixture fixture;
  fixture.tasks.spawn("a", sleeper(fixture, 10s, "a"));
  fixture.settle();
  const auto before = fixture.clock.wall();
  fixture.clock.step_wall(24h);
  fixture.settle();
  CHECK(fixture.clock.wall() - before == 24h);
  CHECK(fixture.log.empty());
}

TEST_CASE("the system clock sleeps too") {
  asio::io_context loop;
  SystemClock clock;
  const auto begin = clock.now();
  test::run(loop, sleep_for(clock, 20ms));
  CHECK(clock.now() - begin >= 20ms);
  CHECK(clock.wall() > std::chrono::system_clock::time_point());
}

TEST_CASE("one of several sleepers can be cancelled") {
  Fixture fixture;
  fixture.tasks.spawn("a", sleeper(fixture, 10s, "a"));
  const auto id = fixture.tasks.spawn("b", sleeper(fixture, 10s, "b"));
  fixture.settle();
  fixture.tasks.cancel(id);
  fixture.settle();
  CHECK(fixture.log == std::vector<std::string>{"b cancelled"});
  CHECK(fixture.tasks.size() == 1);
  CHECK(fixture.failures.empty());
  fixture.tasks.cancel(id);
  fixture.tasks.cancel(12345);
  fixture.settle();
  CHECK(fixture.tasks.size() == 1);
}

TEST_CASE("a task cancelled before it starts does not sleep") {
  Fixture fixture;
  fixture.tasks.cancel(fixture.tasks.spawn("a", sleeper(fixture, 10s, "a")));
  fixture.settle();
  CHECK(fixture.tasks.size() == 0);
  CHECK(fixture.failures.empty());
}

TEST_CASE("an event wakes every waiter") {
  Fixture fixture;
  Event event(fixture.clock);
  bool ready = false;
  fixture.tasks.spawn("a", waiter(fixture, event, ready, "a"));
  fixture.tasks.spawn("b", waiter(fixture, event, ready, "b"));
  fixture.settle();
  event.notify_all();
  fixture.settle();
  CHECK(fixture.log.empty());
  ready = true;
  event.notify_all();
  event.notify_all();
  fixture.settle();
  CHECK(fixture.log == std::vector<std::string>{"a saw it", "b saw it"});
}

TEST_CASE("a wait has a deadline") {
  Fixture fixture;
  Event event(fixture.clock);
  fixture.tasks.spawn("a", patient(fixture, event, 10s));
  fixture.settle();
  SUBCASE("that passes before the event") {
    fixture.advance(10s);
    CHECK(fixture.log == std::vector<std::string>{"too late"});
    event.notify_all();
  }
  SUBCASE("that passes after the event") {
    fixture.advance(9s);
    event.notify_all();
    fixture.advance(9s);
    CHECK(fixture.log == std::vector<std::string>{"notified"});
  }
  SUBCASE("that passes together with the event") {
    event.notify_all();
    fixture.advance(10s);
    CHECK(fixture.log == std::vector<std::string>{"notified"});
  }
  SUBCASE("and can be cancelled") {
    fixture.tasks.cancel_all();
    fixture.settle();
    CHECK(fixture.log.empty());
    event.notify_all();
  }
  CHECK(fixture.tasks.size() == 0);
}

TEST_CASE("a wait with a deadline in the past returns at once") {
  Fixture fixture;
  Event event(fixture.clock);
  fixture.tasks.spawn("a", patient(fixture, event, -1s));
  fixture.settle();
  CHECK(fixture.log == std::vector<std::string>{"too late"});
}

TEST_CASE("an escaped exception is reported with the task's name") {
  Fixture fixture;
  fixture.tasks.spawn("bad", thrower());
  fixture.tasks.spawn("good", sleeper(fixture, 1s, "good"));
  fixture.settle();
  CHECK(fixture.failures == std::vector<std::string>{"bad"});
  CHECK(fixture.tasks.size() == 1);
}

TEST_CASE("join returns when every task has ended") {
  Fixture fixture;
  TaskGroup group(fixture.loop.get_executor(), fixture.clock, nullptr);
  group.spawn("a", sleeper(fixture, 1s, "a"));
  group.spawn("b", sleeper(fixture, 2s, "b"));
  fixture.tasks.spawn("joiner", joiner(fixture, group));
  fixture.settle();
  fixture.advance(1s);
  CHECK(fixture.log == std::vector<std::string>{"a woke"});
  group.cancel_all();
  fixture.settle();
  CHECK(fixture.log == std::vector<std::string>{"a woke", "b cancelled", "joined"});
  fixture.tasks.spawn("joiner", joiner(fixture, group));
  fixture.settle();
  CHECK(fixture.log.size() == 4);
}

TEST_CASE("the loop may end while tasks sleep and wait") {
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

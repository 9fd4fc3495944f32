#include <doctest/doctest.h>

#include <asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "server/http/limits/connections.hpp"
#include "server/http/limits/fair_turns.hpp"
#include "support/virtual_clock.hpp"

using namespace molecule;
using server::Connections;
using server::FairTurns;
using Phase = Connections::Phase;
using std::chrono::seconds;

namespace {

struct Crowd {
  void add(const std::string& name) {
    entries.push_back(std::make_unique<Connections::Entry>(connections));
    last().set_owner({.drop = [this, name] { dropped.push_back(name); },
                      .rest = [this, name] { rested.push_back(name); }});
    clock.advance(std::chrono::milliseconds(1));
  }
  Connections::Entry& last() { return *entries.back(); }

  test::VirtualClock clock;
  std::shared_ptr<Connections> connections = std::make_shared<Connections>(
      clock, Connections::Limits{.head = seconds(10), .body = seconds(15), .answer = seconds(20)});
  Connections& all = *connections;
  std::vector<std::string> dropped;
  std::vector<std::string> rested;
  std::vector<std::unique_ptr<Connections::Entry>> entries;
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("fault C4: where there is no room the longest silent stranger makes some") {
  Crowd crowd;
  crowd.add("resting");
  crowd.last().enter(Phase::answer);
  crowd.last().enter(Phase::idle);
  crowd.add("one byte");
  crowd.last().enter(Phase::head);
  crowd.add("working");
  crowd.last().enter(Phase::answer);
  crowd.add("stream");
  crowd.last().enter(Phase::stream);
  crowd.add("new");
  crowd.all.drop_silent(1);
  CHECK(crowd.dropped == Names{"one byte"});
  crowd.all.drop_silent(1);  // it is on its way out
  CHECK(crowd.dropped.size() == 1);
  crowd.all.drop_silent(3);
  CHECK(crowd.dropped == Names{"one byte", "new", "resting"});
  crowd.entries.clear();
  CHECK(crowd.all.size() == 0);
}

TEST_CASE("fault C2: where all are busy, who takes nothing of its answer for longest goes") {
  Crowd crowd;
  for (const char* name : {"slow", "slower", "reads"}) {
    crowd.add(name);
    crowd.last().enter(Phase::answer);
    crowd.last().write_began();
  }
  crowd.clock.advance(seconds(2));
  crowd.all.drop_silent(1);
  CHECK(crowd.dropped.empty());
  crowd.clock.advance(seconds(2));
  crowd.entries[0]->write_ended();
  crowd.entries[0]->write_began();
  crowd.entries[2]->write_ended();
  crowd.all.drop_silent(1);
  CHECK(crowd.dropped == Names{"slower"});
}

TEST_CASE("fault C4: heads, bodies and answers have their time") {
  Crowd crowd;
  crowd.add("nothing");
  crowd.add("one byte");
  crowd.last().enter(Phase::head);
  crowd.add("slow body");
  crowd.last().enter(Phase::body);
  crowd.add("resting");
  crowd.last().enter(Phase::answer);
  crowd.last().enter(Phase::idle);
  crowd.add("stream");
  crowd.last().enter(Phase::stream);
  crowd.add("does not read");
  crowd.last().enter(Phase::answer);
  crowd.last().write_began();
  crowd.clock.advance(seconds(8));
  // Another byte of a head buys no time; of a body it does.
  crowd.entries[1]->enter(Phase::head);
  crowd.entries[2]->enter(Phase::body);
  crowd.all.drop_late();
  CHECK(crowd.dropped.empty());
  crowd.clock.advance(seconds(3));
  crowd.all.drop_late();
  CHECK(crowd.dropped == Names{"nothing", "one byte"});
  crowd.clock.advance(seconds(13));
  crowd.all.drop_late();
  CHECK(crowd.dropped == Names{"nothing", "one byte", "slow body", "does not read"});
  // A later request's head counts from its own first byte.
  crowd.entries[3]->enter(Phase::head);
  crowd.clock.advance(seconds(9));
  crowd.all.drop_late();
  CHECK(crowd.dropped.size() == 4);
  crowd.clock.advance(seconds(2));
  crowd.all.drop_late();
  CHECK(crowd.dropped.back() == "resting");
}

TEST_CASE("a connection that is idle between two requests rests, once each time") {
  Crowd crowd;
  for (const char* name : {"never asked", "asked", "asked later", "is answered"}) {
    crowd.add(name);
    if (name != std::string("never asked")) crowd.last().enter(Phase::answer);
  }
  crowd.entries[1]->enter(Phase::idle);
  crowd.clock.advance(std::chrono::milliseconds(150));
  crowd.entries[2]->enter(Phase::idle);
  CHECK(crowd.all.rest_idle(2));
  CHECK(crowd.rested.empty());
  crowd.clock.advance(std::chrono::milliseconds(100));
  CHECK(crowd.all.rest_idle(2));
  CHECK(crowd.rested == Names{"asked"});
  crowd.clock.advance(std::chrono::milliseconds(100));
  crowd.entries[3]->enter(Phase::idle);
  CHECK(crowd.all.rest_idle(2));
  CHECK(crowd.rested == Names{"asked", "asked later"});
  crowd.entries[1]->enter(Phase::head);
  crowd.entries[1]->enter(Phase::answer);
  crowd.entries[1]->enter(Phase::idle);
  crowd.clock.advance(std::chrono::milliseconds(200));
  CHECK(crowd.all.rest_idle(1));
  CHECK_FALSE(crowd.all.rest_idle(1));
  CHECK(crowd.rested == Names{"asked", "asked later", "is answered", "asked"});
  crowd.clock.advance(seconds(149));
  crowd.all.drop_late();
  CHECK(crowd.dropped == Names{"never asked"});
  crowd.clock.advance(seconds(2));
  crowd.all.drop_late();
  CHECK(crowd.dropped.size() == 4);
}

TEST_CASE("fault C3: one owner's crowd does not make another one wait") {
  asio::io_context loop;
  test::VirtualClock clock;
  FairTurns turns(loop, clock);
  std::string order;
  const auto job = [&](char name, int milliseconds) {
    return [&order, &clock, name, milliseconds] {
      order += name;
      clock.advance(std::chrono::milliseconds(milliseconds));
    };
  };
  for (int i = 0; i < 6; ++i) turns.submit("greedy", job('g', 30));
  CHECK(order.empty());
  loop.poll_one();
  CHECK(order == "g");  // a slice; then the loop does other work
  for (int i = 0; i < 4; ++i) turns.submit("light", job('l', 1));
  turns.submit("other", job('o', 30));
  loop.restart();
  loop.poll();
  CHECK(order.substr(0, 8).find('o') != std::string::npos);
  CHECK(order.find_last_of('l') < order.find("gg", 2));
  CHECK(order.size() == 11);
  CHECK(turns.empty());
  // Idle time is no credit.
  clock.advance(seconds(100));
  order.clear();
  turns.submit("greedy", job('g', 30));
  turns.submit("new", job('n', 1));
  loop.restart();
  loop.poll();
  CHECK(order.size() == 2);
}

TEST_CASE("a job may submit another one") {
  asio::io_context loop;
  test::VirtualClock clock;
  FairTurns turns(loop, clock);
  int done = 0;
  turns.submit("a", [&] {
    ++done;
    turns.submit("a", [&] { ++done; });
  });
  loop.run();
  CHECK(done == 2);
  CHECK(turns.empty());
}

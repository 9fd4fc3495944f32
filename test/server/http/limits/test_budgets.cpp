#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/http/limits/byte_budget.hpp"
#include "server/http/limits/event_sockets.hpp"
#include "server/http/limits/guess_brake.hpp"
#include "support/virtual_clock.hpp"

using namespace molecule;
using server::ByteBudget;
using server::EventSockets;
using server::GuessBrake;

TEST_CASE("a budget limits one owner and all together, and shares give back") {
  ByteBudget budget({.one = 10, .all = 15});
  auto first = budget.share("a");
  auto second = budget.share("a");
  auto third = budget.share("b");
  CHECK(first->grow(6));
  CHECK_FALSE(second->grow(5));
  CHECK(second->grow(4));
  CHECK_FALSE(third->grow(6));
  CHECK(third->grow(5));
  CHECK(budget.held() == 15);
  CHECK(budget.held_by("a") == 10);
  first.reset();
  CHECK(budget.held_by("a") == 4);
  second->shrink(100);
  CHECK(budget.held_by("a") == 0);
  third->force(100);
  CHECK(budget.held() == 105);
  third.reset();
  CHECK(budget.held() == 0);
}

TEST_CASE("a share may outlive its budget") {
  std::optional<ByteBudget> budget(ByteBudget({.one = 10, .all = 10}));
  const auto share = budget->share("a");
  CHECK(share->grow(10));
  budget.reset();
  share->shrink(5);
}

namespace {

/// Clients whose bytes are taken when a test says so.
struct Crowd {
  std::uint64_t open(const std::string& owner) {
    const std::uint64_t id = sockets.next_id();
    const auto queue = [this](const std::string& bytes, std::function<void()> done) {
      sent.push_back(bytes);
      waiting.push_back(std::move(done));
    };
    sockets.open(id, owner,
                 {.send_text = queue,
                  .send_pong = queue,
                  .send_ping = [this, id] { pinged.push_back(id); },
                  .close = [this, id](EventSockets::Close) { closed.push_back(id); }});
    return id;
  }
  void take(std::size_t which) { waiting.at(which)(); }

  EventSockets sockets{{.all = 8,
                        .for_the_person = 2,
                        .one_token = 3,
                        .bytes_of_one_client = 10,
                        .bytes_of_one_token = 15,
                        .bytes_of_all = 25}};
  std::vector<std::string> sent;
  std::vector<std::function<void()>> waiting;
  std::vector<std::uint64_t> closed;
  std::vector<std::uint64_t> pinged;
};

}  // namespace

TEST_CASE("fault C3: a client that sends pings and reads nothing costs one pong") {
  Crowd crowd;
  const std::uint64_t id = crowd.open("a");
  for (int i = 0; i < 1000; ++i) crowd.sockets.ping(id, std::to_string(i));
  CHECK(crowd.sent == std::vector<std::string>{"0"});
  crowd.take(0);
  CHECK(crowd.sent == std::vector<std::string>{"0", "999"});
  crowd.take(1);
  CHECK(crowd.sent.size() == 2);
  crowd.sockets.ping(id, "again");
  CHECK(crowd.sent.back() == "again");
  crowd.sockets.ping(id, std::string(126, 'x'));
  crowd.sockets.drop(id);
  crowd.take(2);
  crowd.sockets.ping(id, "late");
  CHECK(crowd.sent.size() == 3);
}

TEST_CASE("fault C3: who does not read is closed; of several, who has most unsent") {
  Crowd crowd;
  const std::uint64_t slow = crowd.open("a");
  crowd.sockets.send(slow, std::string(10, 'x'));
  crowd.take(0);
  crowd.sockets.send(slow, std::string(10, 'x'));
  CHECK(crowd.closed.empty());
  crowd.sockets.send(slow, "x");
  CHECK(crowd.closed == std::vector{slow});
  crowd.closed.clear();

  // A token's clients together: 9 and 6 are its limit.
  const std::uint64_t one = crowd.open("a");
  const std::uint64_t two = crowd.open("a");
  crowd.sockets.send(one, std::string(9, 'x'));
  crowd.sockets.send(two, std::string(6, 'x'));
  crowd.sockets.send(two, "x");
  CHECK(crowd.closed == std::vector{one});
  crowd.closed.clear();

  // All together: 7 of a, 10 of b, 8 of c.
  const std::uint64_t other = crowd.open("b");
  const std::uint64_t reader = crowd.open("c");
  crowd.sockets.send(other, std::string(10, 'x'));
  crowd.sockets.send(reader, std::string(8, 'x'));
  crowd.sockets.send(reader, "x");
  CHECK(crowd.closed == std::vector{other});
  CHECK(crowd.sockets.size() == 2);
}

TEST_CASE("fault C3: a token has a few WebSockets, and the person always gets one") {
  Crowd crowd;
  for (int i = 0; i < 3; ++i) crowd.open("a");
  REQUIRE(crowd.sockets.refusal("a"));
  CHECK(crowd.sockets.refusal("a")->status == 429);
  for (int i = 0; i < 3; ++i) {
    CHECK(!crowd.sockets.refusal("b"));
    crowd.open("b");
  }
  // Two of the eight are the person's.
  REQUIRE(crowd.sockets.refusal("c"));
  CHECK(crowd.sockets.refusal("c")->status == 503);
  const std::uint64_t first = [&] {
    CHECK(!crowd.sockets.refusal(EventSockets::the_person));
    return crowd.open(std::string(EventSockets::the_person));
  }();
  CHECK(crowd.sockets.refusal("c"));
  CHECK(!crowd.sockets.refusal(EventSockets::the_person));
  crowd.open(std::string(EventSockets::the_person));
  CHECK(crowd.closed.empty());
  CHECK(!crowd.sockets.refusal(EventSockets::the_person));
  CHECK(crowd.closed == std::vector{first});
  crowd.sockets.drop_all();
  CHECK(crowd.sockets.size() == 0);
}

TEST_CASE("fault C13: guessing is slowed, an address at a time, and forgotten") {
  test::VirtualClock clock;
  GuessBrake brake(clock);
  const auto here = asio::ip::make_address("127.0.0.1");
  int waits = 0;
  int refused = 0;
  for (int i = 0; i < 10000; ++i) {
    const GuessBrake::Verdict verdict = brake.wrong(here);
    waits += verdict.wait ? 1 : 0;
    refused += verdict.refuse ? 1 : 0;
  }
  CHECK(waits == 10000 - static_cast<int>(GuessBrake::free_per_minute));
  CHECK(refused == 10000 - static_cast<int>(GuessBrake::max_per_minute));
  CHECK_FALSE(brake.wrong(asio::ip::make_address("127.0.0.2")).wait);
  clock.advance(std::chrono::minutes(30));
  CHECK_FALSE(brake.wrong(here).wait);
  // Agents whose token was revoked ask as often as this.
  for (int i = 0; i < 2000; ++i) {
    clock.advance(std::chrono::milliseconds(250));
    CHECK_FALSE(brake.wrong(here).wait);
  }
}

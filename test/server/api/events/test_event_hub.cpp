// What waits for those who listen to events has a limit (platform-api.md 9.6).

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "server/platform.hpp"

using namespace molecule;
using server::EventFrame;
using server::EventHub;
using test::Member;
using test::Platform;

namespace {

/// Counts what happens to one client, which goes when it is sent away.
struct Listener {
  explicit Listener(EventHub& events) : hub(events) {}
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  EventHub::Subscriber subscriber(server::Caller caller) {
    return {.caller = std::move(caller),
            .send = [this](const std::string& text) { heard += text.size(); },
            .revoke = [] {},
            .dismiss =
                [this] {
                  ++dismissed;
                  hub.unsubscribe(id);
                }};
  }
  void open_socket() { id = hub.subscribe(subscriber(server::Caller::admin())); }
  void open_socket_of(const Member& member) {
    id = hub.subscribe(subscriber(
        {.kind = server::Caller::Kind::workspace, .workspace_id = member.id, .token_id = "t"}));
  }
  void open_stream(const Member& of) {
    id = hub.subscribe_stream(of.id, subscriber(server::Caller::admin()));
  }

  EventHub& hub;
  std::uint64_t id = 0;
  std::size_t heard = 0;
  int dismissed = 0;
};

struct Hub {
  /// Events of `member`, as one request or an other instance brings them.
  void deliver(const Member& member, std::size_t count, std::size_t bytes) {
    std::vector<EventFrame> frames;
    for (std::size_t i = 0; i < count; ++i) {
      frames.push_back({.type = "X",
                        .workspace_id = member.id,
                        .time = {},
                        .payload = "\"" + std::string(bytes, 'x') + "\""});
    }
    test::run(platform.loop, platform.events.deliver(std::move(frames)));
  }

  Platform platform;
  Member one = platform.add("one");
  Member other = platform.add("other");
  Listener socket{platform.events};
  Listener stream{platform.events};
  Listener others{platform.events};
};

constexpr std::size_t mebibyte = std::size_t{1} << 20;

}  // namespace

TEST_CASE("events that wait have a limit in bytes, and who misses one is sent away") {
  Hub hub;
  hub.socket.open_socket();
  hub.stream.open_stream(hub.one);
  hub.others.open_stream(hub.other);
  hub.deliver(hub.one, 60, mebibyte);
  CHECK(hub.socket.heard > 60 * mebibyte);
  CHECK(hub.stream.heard > 60 * mebibyte);
  hub.socket.heard = 0;
  hub.deliver(hub.one, 64, mebibyte);
  CHECK(hub.socket.heard == 0);
  CHECK(hub.socket.dismissed == 1);
  CHECK(hub.stream.dismissed == 1);
  // It misses nothing.
  CHECK(hub.others.dismissed == 0);
  hub.deliver(hub.other, 1, 10);
  CHECK(hub.others.heard > 0);
  // What was sent no longer counts.
  hub.socket.open_socket();
  for (int i = 0; i < 3; ++i) hub.deliver(hub.one, 40, mebibyte);
  CHECK(hub.socket.heard > 120 * mebibyte);
  CHECK(hub.socket.dismissed == 1);
}

TEST_CASE("one event above the limit, and too many small ones, are not lost in silence either") {
  Hub hub;
  hub.socket.open_socket();
  hub.deliver(hub.one, 1, 65 * mebibyte);
  CHECK(hub.socket.dismissed == 1);
  hub.socket.open_socket();
  hub.deliver(hub.one, 10'001, 1);
  CHECK(hub.socket.dismissed == 2);
}

TEST_CASE("who misses an event because the store failed is sent away") {
  Hub hub;
  hub.socket.open_socket_of(hub.one);
  hub.stream.open_stream(hub.other);
  hub.platform.database.execute("ALTER TABLE workspace_tokens RENAME TO gone");
  CHECK_THROWS(hub.deliver(hub.one, 3, 10));
  CHECK(hub.socket.dismissed == 1);
  CHECK(hub.stream.dismissed == 1);
  hub.platform.database.execute("ALTER TABLE gone RENAME TO workspace_tokens");
  hub.stream.open_stream(hub.other);
  hub.deliver(hub.other, 1, 10);
  CHECK(hub.stream.heard > 0);
}

TEST_CASE("the same holds where events are delivered in the background") {
  Hub hub;
  hub.socket.open_socket();
  asio::cancellation_signal cancel;
  bool ended = false;
  asio::co_spawn(hub.platform.loop, hub.platform.events.deliver_in_background(),
                 asio::bind_cancellation_slot(cancel.slot(),
                                              [&](const std::exception_ptr&) { ended = true; }));
  hub.platform.loop.poll();
  hub.deliver(hub.one, 70, mebibyte);
  CHECK(hub.socket.dismissed == 1);
  CHECK_FALSE(hub.platform.events.has_subscribers());
  // Without listeners nothing waits.
  hub.deliver(hub.one, 70, mebibyte);
  CHECK(hub.socket.dismissed == 1);
  cancel.emit(asio::cancellation_type::terminal);
  hub.platform.loop.restart();
  while (!ended) hub.platform.loop.run_one();
}

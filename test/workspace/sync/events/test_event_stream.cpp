#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "workspace/fixture.hpp"
#include "workspace/sync/events/event_stream.hpp"

using namespace molecule;
using namespace std::chrono_literals;
using namespace molecule::workspace;
using platform::Errc;

namespace {

Wakes wakes(std::string type, std::string activity_type = "") {
  const platform::Event event{.type = std::move(type), .activity_type = std::move(activity_type)};
  return wakes_of(event);
}

platform::Error error(Errc code, int status = 0) {
  platform::Error made;
  made.code = code;
  made.status = status;
  return made;
}

}  // namespace

TEST_CASE("event stream: which events wake the poll") {
  CHECK(wakes("ACTIVITY_LOGGED", "a2a_receive").messages);
  CHECK(wakes("ACTIVITY_LOGGED").messages);
  CHECK(wakes("REQUEST_RESPONDED").messages);
  CHECK(wakes("REQUEST_MESSAGE").messages);
  CHECK_FALSE(wakes("ACTIVITY_LOGGED", "a2a_send").messages);
  CHECK_FALSE(wakes("WORKSPACE_HEARTBEAT").messages);
  const Wakes broadcast = wakes("ACTIVITY_LOGGED", "broadcast_receive");
  CHECK(broadcast.broadcasts);
  CHECK_FALSE(broadcast.messages);
}

TEST_CASE("event stream: a platform without it is asked seldom, at once") {
  for (const auto& missing : {error(Errc::not_found, 404), error(Errc::rejected, 405),
                              error(Errc::rejected, 406), error(Errc::server_error, 501)}) {
    StreamRetry retry(test::timing);
    CHECK(retry.after(missing, 0.5) == test::timing.stream_missing_retry);
    CHECK(retry.seldom());
  }
}

TEST_CASE("event stream: what a passing fault explains is believed at the third time") {
  for (const Errc doubtful : {Errc::timeout, Errc::not_the_platform}) {
    StreamRetry retry(test::timing);
    CHECK(retry.after(error(doubtful, 200), 0.5) == test::timing.stream_min_retry);
    CHECK(retry.after(error(doubtful, 200), 0.5) == 2 * test::timing.stream_min_retry);
    CHECK_FALSE(retry.seldom());
    CHECK(retry.after_silence(0.5) == test::timing.stream_missing_retry);
    CHECK(retry.seldom());
    retry.heard();
    CHECK_FALSE(retry.seldom());
    CHECK(retry.after_silence(0.5) == test::timing.stream_min_retry);
  }
}

TEST_CASE("event stream: after a loss it waits longer each time, and as long as it is told") {
  StreamRetry retry(test::timing);
  Clock::duration last{};
  for (int i = 0; i < 20; ++i) last = retry.after(error(Errc::connection_lost), 0.5);
  CHECK(last == test::timing.stream_max_retry);
  CHECK_FALSE(retry.seldom());
  retry.heard();
  CHECK(retry.after(error(Errc::unreachable), 0.5) == test::timing.stream_min_retry);
  platform::Error busy = error(Errc::rate_limited, 429);
  busy.retry_after = 100s;
  CHECK(retry.after(busy, 0.5) == 100s);
  busy.retry_after = 86'400s;
  CHECK(retry.after(busy, 0.5) == test::timing.poll_max_retry_after);
}

#include "workspace/sync/events/event_stream.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"
#include "workspace/sync/pause.hpp"

namespace molecule::workspace {

namespace {

using platform::Errc;

/// From this one on, attempts that a passing fault may explain count as a missing stream.
constexpr unsigned max_doubts = 3;

/// The platform, or a proxy, says that there is no such thing.
bool is_missing(const platform::Error& error) {
  return error.code == Errc::not_found || error.status == 405 || error.status == 406 ||
         error.status == 501;
}

/// What a proxy does that waits for the end of an answer, or shows a page of its own.
bool is_doubtful(const platform::Error& error) {
  return error.code == Errc::timeout || error.code == Errc::not_the_platform ||
         error.code == Errc::malformed;
}

}  // namespace

Wakes wakes_of(const platform::Event& event) {
  Wakes wakes;
  if (event.type == "ACTIVITY_LOGGED") {
    wakes.messages = event.activity_type.empty() || event.activity_type == "a2a_receive";
    wakes.broadcasts = event.activity_type == "broadcast_receive";
  } else {
    wakes.messages = event.type.starts_with("REQUEST_");
  }
  return wakes;
}

StreamRetry::StreamRetry(const Timing& timing)
    : timing_(timing), backoff_(timing.stream_min_retry, timing.stream_max_retry) {}

void StreamRetry::heard() {
  backoff_.reset();
  doubts_ = 0;
  seldom_ = false;
}

Clock::duration StreamRetry::after(const platform::Error& error, double random) {
  if (is_missing(error)) doubts_ = max_doubts;
  if (is_missing(error) || is_doubtful(error)) return doubtful(random);
  const std::chrono::seconds asked = error.retry_after.value_or(std::chrono::seconds(0));
  return std::max<Clock::duration>(backoff_.next(random),
                                   std::min(asked, timing_.poll_max_retry_after));
}

Clock::duration StreamRetry::after_silence(double random) {
  return doubtful(random);
}

Clock::duration StreamRetry::doubtful(double random) {
  if (++doubts_ < max_doubts) return backoff_.next(random);
  seldom_ = true;
  return std::chrono::duration_cast<Clock::duration>(timing_.stream_missing_retry *
                                                     (0.75 + 0.5 * random));
}

EventStream::EventStream(SyncContext context, OnWake on_wake)
    : context_(context), on_wake_(std::move(on_wake)), retry_(context.timing) {}

awaitable<void> EventStream::run() {
  while (true) {
    co_await context_.owner_role.own();
    auto opened = co_await context_.client.events_stream();
    Clock::duration pause{};
    if (opened) {
      pause = co_await follow(std::move(*opened));
    } else {
      pause = retry_.after(opened.error(), random_unit());
      log::debug("events: {}", opened.error().message);
      report();
    }
    const Clock::time_point again = context_.clock.now() + pause;
    co_await sleep_unless_suspended(context_.clock, context_.timing, again);
  }
}

/// Reads until the stream ends, or is not worth keeping; returns when to open the next.
awaitable<Clock::duration> EventStream::follow(platform::EventReader reader) {
  const Timing& timing = context_.timing;
  const Clock::duration suspended = context_.clock.suspended();
  const Clock::time_point opened = context_.clock.now();
  Clock::duration silent{};
  heard_ = false;
  while (context_.owner_role.owned()) {
    auto news = co_await reader.next(timing.suspend_check);
    // The connection has most likely not outlived a suspend.
    if (context_.clock.suspended() - suspended > timing.min_suspension) break;
    if (!news) {
      log::debug("events: {}", news.error().message);
      // Where it is always cut at once, it is as good as missing.
      if (context_.clock.now() - opened >= timing.stream_max_retry) retry_.heard();
      co_return retry_.after(news.error(), random_unit());
    }
    silent = news->alive ? Clock::duration{} : silent + timing.suspend_check;
    if (news->alive) take(*news);
    if (silent < silence_limit(reader)) continue;
    log::debug("events: the stream is silent, and is opened again");
    if (heard_) break;
    const Clock::duration pause = retry_.after_silence(random_unit());
    report();
    co_return pause;
  }
  co_return Clock::duration{};
}

/// The platforms in use differ: ours sends a comment every 15 s, others only the first.
Clock::duration EventStream::silence_limit(const platform::EventReader& reader) const {
  const Timing& timing = context_.timing;
  if (!heard_) return timing.stream_first_byte;
  return reader.comments() > 1 ? timing.stream_silence : timing.stream_max_silence;
}

void EventStream::take(const platform::EventReader::News& news) {
  Wakes wakes;
  if (!std::exchange(heard_, true)) {
    if (std::exchange(told_, Told::open) != Told::open) {
      log::info("events: the platform announces messages as they arrive");
    }
    retry_.heard();
    wakes = {.messages = true, .broadcasts = true};
  }
  wakes.messages = wakes.messages || news.unknown;
  for (const platform::Event& event : news.events) {
    const Wakes more = wakes_of(event);
    wakes.messages = wakes.messages || more.messages;
    wakes.broadcasts = wakes.broadcasts || more.broadcasts;
  }
  if (wakes.messages || wakes.broadcasts) on_wake_(wakes);
}

/// Once: without the stream all works, only later. What is wrong with the platform itself is the
/// poller's to report.
void EventStream::report() {
  if (!retry_.seldom() || std::exchange(told_, Told::missing) == Told::missing) return;
  log::info(
      "events: this platform, or a proxy before it, has no event stream: new messages are polled "
      "every {} s",
      context_.timing.poll.count());
}

}  // namespace molecule::workspace

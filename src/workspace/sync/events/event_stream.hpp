#pragma once

#include <functional>

#include "base/async/backoff.hpp"
#include "base/async/clock.hpp"
#include "platform/events/event_reader.hpp"
#include "workspace/sync/context.hpp"

namespace molecule::workspace {

/// What is worth asking the platform for at once.
struct Wakes {
  bool messages = false;
  bool broadcasts = false;
};

/// What an event announces: an incoming message, the answer to a request, a broadcast, or nothing
/// that is fetched. The source does not matter: results and files have the workspace itself as one.
Wakes wakes_of(const platform::Event& event);

/// When to try again after the event stream could not be opened, or ended. A platform or a proxy
/// that has none, or holds it back, is asked seldom: polling does without.
class StreamRetry {
 public:
  explicit StreamRetry(const Timing& timing);

  /// The stream has brought something.
  void heard();
  /// It failed with this error; `random` is uniform in [0, 1).
  Clock::duration after(const platform::Error& error, double random);
  /// Nothing came though it was open.
  Clock::duration after_silence(double random);
  /// True while there seems to be no event stream.
  bool seldom() const { return seldom_; }

 private:
  Clock::duration doubtful(double random);

  const Timing& timing_;
  Backoff backoff_;
  unsigned doubts_ = 0;
  bool seldom_ = false;
};

/// Keeps the platform's event stream open while this process is the owner, and says when a poll is
/// worth its while: a message then arrives now, not at the next poll. The polls decide what there
/// is, so that nothing depends on the stream.
class EventStream {
 public:
  using OnWake = std::function<void(Wakes)>;

  /// `on_wake` is also called when the stream opens, for what happened while it was not.
  EventStream(SyncContext context, OnWake on_wake);
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  /// Ends by cancellation.
  awaitable<void> run();

 private:
  /// What the log says already.
  enum class Told { nothing, open, missing };

  awaitable<Clock::duration> follow(platform::EventReader reader);
  void take(const platform::EventReader::News& news);
  Clock::duration silence_limit(const platform::EventReader& reader) const;
  void report();

  SyncContext context_;
  OnWake on_wake_;
  StreamRetry retry_;
  bool heard_ = false;
  Told told_ = Told::nothing;
};

}  // namespace molecule::workspace

#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/async/asio.hpp"
#include "base/async/clock.hpp"
#include "net/http_stream.hpp"
#include "platform/classify.hpp"
#include "platform/error.hpp"
#include "platform/events/event_parser.hpp"

namespace molecule::platform {

/// One event of the workspace, as the platform announces it (platform-api.md 2.10). What it means
/// is read from the store, so only what tells apart is kept.
struct Event {
  std::string type;
  /// Of an ACTIVITY_LOGGED: the row's type; empty if there is none.
  std::string activity_type;
};

/// The open event stream of one workspace. Destroying it closes the connection at once.
class EventReader {
 public:
  EventReader(net::HttpStream stream, Site site)
      : stream_(std::move(stream)), site_(std::move(site)), parser_(max_event_bytes) {}

  /// What one wait has brought.
  struct News {
    std::vector<Event> events;
    /// True if anything came at all; a comment is not an event.
    bool alive = false;
    /// An event was not understood, or too long: it may have been any.
    bool unknown = false;
  };
  /// Returns once anything has arrived, or after `patience`. An error is the end of the stream.
  awaitable<Outcome<News>> next(Clock::duration patience);
  /// Comments so far: a platform that sends several keeps the connection alive by them.
  std::size_t comments() const { return parser_.comments(); }

 private:
  static constexpr std::size_t max_event_bytes = std::size_t{256} << 10;

  net::HttpStream stream_;
  Site site_;
  EventParser parser_;
  std::size_t skipped_ = 0;
};

}  // namespace molecule::platform

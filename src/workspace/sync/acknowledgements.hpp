#pragma once

#include <cstdint>

#include "base/async/clock.hpp"
#include "base/async/event.hpp"
#include "platform/client.hpp"
#include "workspace/store/inbox/poll_state.hpp"

namespace molecule::workspace {

/// Tells the platform up to which row everything is handled, so that senders can see it and the
/// platform may forget early (platform-api.md 10). Best effort: a task of its own, which the poll
/// never waits for; at most one request per poll, and none if nothing changed.
class Acknowledgements {
 public:
  Acknowledgements(platform::Client& client, PollState& poll_state, Clock& clock);
  Acknowledgements(const Acknowledgements&) = delete;
  Acknowledgements& operator=(const Acknowledgements&) = delete;

  /// Call when the owner has fetched everything. Does no I/O.
  void polled();
  /// Acknowledges at once what was handled since: the process ends.
  awaitable<void> acknowledge();
  /// Ends by cancellation, or at the first 404: an older platform, which is not asked again.
  awaitable<void> run();

 private:
  std::int64_t handled();

  platform::Client& client_;
  PollState& poll_state_;
  Event polled_;
  std::int64_t acknowledged_ = 0;
  /// The platform is older and has no acknowledgements.
  bool unknown_ = false;
};

}  // namespace molecule::workspace

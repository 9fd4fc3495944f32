#pragma once

#include <cstdint>

#include "base/async/clock.hpp"
#include "base/async/event.hpp"
#include "platform/client.hpp"
#include "workspace/store/inbox.hpp"

namespace molecule::workspace {

/// Tells the platform up to which row everything is handled, so that senders can see it and the
/// platform may forget early (platform-api.md 10). Best effort: a task of its own, which the poll
/// never waits for; one request a poll at most, and none where there is nothing new to tell.
class Acknowledgements {
 public:
  Acknowledgements(platform::Client& client, Inbox& inbox, Clock& clock);
  Acknowledgements(const Acknowledgements&) = delete;
  Acknowledgements& operator=(const Acknowledgements&) = delete;

  /// The owner has just fetched what there is. Does no I/O.
  void polled();
  /// Ends by cancellation, and at the first 404: an older platform, which is not asked again.
  awaitable<void> run();

 private:
  std::int64_t handled();

  platform::Client& client_;
  Inbox& inbox_;
  Event polled_;
  std::int64_t told_ = 0;
};

}  // namespace molecule::workspace

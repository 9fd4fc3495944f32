#include "workspace/sync/acknowledgements.hpp"

#include "base/log.hpp"

namespace molecule::workspace {

Acknowledgements::Acknowledgements(platform::Client& client, PollState& poll_state, Clock& clock)
    : client_(client), poll_state_(poll_state), polled_(clock) {}

void Acknowledgements::polled() {
  polled_.notify_all();
}

std::int64_t Acknowledgements::handled() {
  try {
    return poll_state_.handled_sequence();
  } catch (const StoreError&) {
    // The poller reports what is wrong with the inbox.
    return 0;
  }
}

awaitable<void> Acknowledgements::run() {
  while (true) {
    co_await polled_.wait();
    const std::int64_t sequence = handled();
    if (sequence == 0 || sequence == acknowledged_) continue;
    auto done = co_await client_.ack_activity(sequence);
    if (done.ok()) {
      acknowledged_ = sequence;
    } else if (done.error().code == platform::Errc::not_found) {
      co_return;
    } else {
      log::debug("inbox: {}", done.error().message);
    }
  }
}

}  // namespace molecule::workspace

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

awaitable<void> Acknowledgements::acknowledge() {
  const std::int64_t sequence = unknown_ ? 0 : handled();
  if (sequence == 0 || sequence == acknowledged_) co_return;
  auto done = co_await client_.ack_activity(sequence);
  if (done.ok()) {
    acknowledged_ = sequence;
  } else if (done.error().code == platform::Errc::not_found) {
    unknown_ = true;
  } else {
    log::debug("inbox: {}", done.error().message);
  }
}

awaitable<void> Acknowledgements::run() {
  while (!unknown_) {
    co_await polled_.wait();
    co_await acknowledge();
  }
}

}  // namespace molecule::workspace

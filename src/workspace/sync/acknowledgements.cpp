#include "workspace/sync/acknowledgements.hpp"

#include "base/log.hpp"

namespace molecule::workspace {

Acknowledgements::Acknowledgements(platform::Client& client, Inbox& inbox, Clock& clock)
    : client_(client), inbox_(inbox), polled_(clock) {}

void Acknowledgements::polled() {
  polled_.notify_all();
}

std::int64_t Acknowledgements::handled() {
  try {
    return inbox_.handled_sequence();
  } catch (const sqlite::Error&) {
    // The poller says what is wrong with the inbox.
    return 0;
  }
}

awaitable<void> Acknowledgements::run() {
  while (true) {
    co_await polled_.wait();
    const std::int64_t sequence = handled();
    if (sequence == 0 || sequence == told_) continue;
    auto told = co_await client_.ack_activity(sequence);
    if (told.ok()) {
      told_ = sequence;
    } else if (told.error().code == platform::Errc::not_found) {
      co_return;
    } else {
      log::debug("inbox: {}", told.error().message);
    }
  }
}

}  // namespace molecule::workspace

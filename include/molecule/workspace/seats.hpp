#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "molecule/base/clock.hpp"
#include "molecule/base/event.hpp"
#include "molecule/workspace/seat.hpp"

namespace molecule::workspace {

/// The workspaces of this process, at least one, and their inboxes as one. Where there are several,
/// messages tell by `arrival_workspace_id` which of them received them, and the inbox functions
/// pass over an inbox that cannot be read as long as another one can. They throw `sqlite::Error`
/// as `Inbox` does.
class Seats {
 public:
  struct Arrival {
    Seat* seat;
    Message message;
  };

  Seats(const Config& config, net::HttpClient& http, Clock& clock, const Seat::Hooks& hooks);

  bool several() const { return seats_.size() > 1; }
  Seat& first() { return seats_.front(); }
  /// By its id in any case; null for one that is not ours.
  Seat* find(std::string_view workspace_id);
  /// Through which of them the peer is known; null where it is not.
  Seat* through_peer(const std::string& peer_id);
  std::deque<Seat>::iterator begin() { return seats_.begin(); }
  std::deque<Seat>::iterator end() { return seats_.end(); }

  std::optional<Arrival> oldest();
  /// Oldest first.
  std::vector<Arrival> peek(std::size_t limit);
  /// The message, while it has not been popped.
  std::optional<Arrival> find_message(std::string_view activity_id);
  /// False when there was no such message.
  bool pop(std::string_view activity_id);
  /// Returns the oldest message as soon as there is one, nothing at `deadline`. Consumes nothing.
  awaitable<std::optional<Arrival>> wait_until(Clock::time_point deadline);

 private:
  Arrival arrival(Seat& seat, Message message) const;
  void each_inbox(const std::function<bool(Seat& seat)>& look);

  std::deque<Seat> seats_;
  Event arrived_;
};

}  // namespace molecule::workspace

#include "molecule/workspace/seats.hpp"

#include <exception>
#include <map>
#include <utility>

#include "molecule/base/text.hpp"
#include "molecule/base/time.hpp"

namespace molecule::workspace {

namespace {

/// A message without a time goes first: it waits for nothing.
WallTime time_of(const Seats::Arrival& arrival) {
  return parse_rfc3339(arrival.message.created_at).value_or(WallTime::min());
}

}  // namespace

Seats::Seats(const Config& config, net::HttpClient& http, Clock& clock, const Seat::Hooks& hooks)
    : arrived_(clock) {
  for (const WorkspaceConfig& own : config.workspaces) {
    Seat& seat = seats_.emplace_back(config, own, http, clock, hooks);
    seat.inbox.on_arrival = [this] { arrived_.notify_all(); };
  }
}

Seat* Seats::find(std::string_view workspace_id) {
  for (Seat& seat : seats_) {
    if (text::equal_ignoring_case(seat.id(), workspace_id)) return &seat;
  }
  return nullptr;
}

Seat* Seats::through_peer(const std::string& peer_id) {
  for (Seat& seat : seats_) {
    if (seat.knows_peer(peer_id)) return &seat;
  }
  return nullptr;
}

Seats::Arrival Seats::arrival(Seat& seat, Message message) const {
  if (several()) message.arrival_workspace_id = seat.id();
  return {.seat = &seat, .message = std::move(message)};
}

/// Until `look` is content. An inbox that fails does so alone, unless it is the only one, or
/// nothing was found in the others.
void Seats::each_inbox(const std::function<bool(Seat& seat)>& look) {
  std::exception_ptr failure;
  bool found = false;
  for (Seat& seat : seats_) {
    try {
      found = look(seat);
    } catch (const sqlite::Error&) {
      if (!failure) failure = std::current_exception();
    }
    if (found) return;
  }
  if (failure) std::rethrow_exception(failure);
}

std::optional<Seats::Arrival> Seats::oldest() {
  std::vector<Arrival> first = peek(1);
  if (first.empty()) return std::nullopt;
  return std::move(first.front());
}

std::vector<Seats::Arrival> Seats::peek(std::size_t limit) {
  std::multimap<WallTime, Arrival> by_time;
  std::exception_ptr failure;
  for (Seat& seat : seats_) {
    try {
      for (Message& message : seat.inbox.peek(limit)) {
        Arrival one = arrival(seat, std::move(message));
        // One inbox alone keeps the platform's order.
        const WallTime time = several() ? time_of(one) : WallTime();
        by_time.emplace(time, std::move(one));
      }
    } catch (const sqlite::Error&) {
      failure = std::current_exception();
    }
  }
  if (by_time.empty() && failure) std::rethrow_exception(failure);
  std::vector<Arrival> oldest_first;
  for (auto& [time, one] : by_time) {
    if (oldest_first.size() == limit) break;
    oldest_first.push_back(std::move(one));
  }
  return oldest_first;
}

std::optional<Seats::Arrival> Seats::find_message(std::string_view activity_id) {
  std::optional<Arrival> found;
  each_inbox([this, activity_id, &found](Seat& seat) {
    if (auto message = seat.inbox.find(activity_id)) found = arrival(seat, std::move(*message));
    return found.has_value();
  });
  return found;
}

bool Seats::pop(std::string_view activity_id) {
  bool popped = false;
  each_inbox([activity_id, &popped](Seat& seat) {
    popped = seat.inbox.pop(activity_id);
    return popped;
  });
  return popped;
}

awaitable<std::optional<Seats::Arrival>> Seats::wait_until(Clock::time_point deadline) {
  std::optional<Arrival> message = oldest();
  while (!message) {
    auto arrived = co_await arrived_.wait_until(deadline);
    message = oldest();
    if (!arrived) break;
  }
  co_return message;
}

}  // namespace molecule::workspace

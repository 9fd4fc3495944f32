#include "molecule/workspace/seats.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <utility>

#include "molecule/base/log.hpp"
#include "molecule/base/text.hpp"
#include "molecule/base/time.hpp"

namespace molecule::workspace {

namespace {

/// A message without a time goes first: it waits for nothing.
WallTime time_of(const Seats::Arrival& arrival) {
  return parse_rfc3339(arrival.message.created_at).value_or(WallTime::min());
}

}  // namespace

Seats::Seats(const Config& config, asio::any_io_executor executor, net::HttpClient& http,
             Clock& clock, Seat::Hooks hooks)
    : clock_(clock), arrived_(clock), watcher_(std::move(executor)) {
  hooks.on_arrival = [this, tell = std::move(hooks.on_arrival)](Seat& seat) {
    if (tell) tell(seat);
    arrived_.notify_all();
  };
  for (const WorkspaceConfig& own : config.workspaces) {
    seats_.emplace_back(config, own, http, clock, hooks);
  }
}

void Seats::start(TaskGroup& tasks) {
  tasks.spawn("file watcher", watcher_.run());
  for (Seat& seat : seats_) seat.start(tasks, watcher_);
}

void Seats::release() {
  for (Seat& seat : seats_) seat.release();
}

Seat& Seats::usual() {
  for (Seat& seat : seats_) {
    if (seat.disabled().empty()) return seat;
  }
  return first();
}

Seat& Seats::of_last_user() {
  Seat* last = &usual();
  for (Seat& seat : seats_) {
    if (seat.disabled().empty() && seat.user_heard() > last->user_heard()) last = &seat;
  }
  return *last;
}

bool Seats::reload_tokens() {
  bool changed = false;
  for (Seat& seat : seats_) changed = seat.reload_token() || changed;
  return changed;
}

Seat* Seats::find(std::string_view workspace_id) {
  for (Seat& seat : seats_) {
    if (text::equal_ignoring_case(seat.id(), workspace_id)) return &seat;
  }
  return nullptr;
}

Seat* Seats::through_peer(const std::string& peer_id) {
  for (Seat& seat : seats_) {
    if (seat.disabled().empty() && seat.knows_peer(peer_id)) return &seat;
  }
  return nullptr;
}

std::string Seats::out_of_use() const {
  std::string reasons;
  for (const Seat& seat : seats_) {
    if (seat.disabled().empty()) continue;
    if (!reasons.empty()) reasons += '\n';
    reasons += "Workspace " + seat.id() + " receives nothing: " + seat.disabled() + '.';
  }
  return reasons;
}

bool Seats::any_in_use() const {
  return std::ranges::any_of(seats_, [](const Seat& seat) { return seat.disabled().empty(); });
}

Seats::Arrival Seats::arrival(Seat& seat, Message message) const {
  if (several()) message.arrival_workspace_id = seat.id();
  seat.complete(message);
  return {.seat = &seat, .message = std::move(message)};
}

/// Until `look` is content. An inbox that fails matters where no other one has what is looked for.
void Seats::each_inbox(const std::function<bool(Seat& seat)>& look) {
  std::exception_ptr failure;
  bool found = false;
  for (Seat& seat : seats_) {
    try {
      const Inbox::NoWaiting no_waiting(seat.inbox);
      found = look(seat);
    } catch (const sqlite::Error&) {
      if (!failure) failure = std::current_exception();
    }
    if (found) return;
  }
  if (failure) std::rethrow_exception(failure);
}

std::optional<Seats::Arrival> Seats::next() {
  std::optional<Arrival> oldest;
  std::exception_ptr failure;
  std::size_t usable = 0;
  std::size_t failed = 0;
  bool busy = false;
  for (Seat& seat : seats_) {
    // What could not be answered from here is left to sessions that can.
    if (!seat.disabled().empty()) continue;
    ++usable;
    try {
      const Inbox::NoWaiting no_waiting(seat.inbox);
      auto message = seat.inbox.next();
      if (!message) continue;
      Arrival one = arrival(seat, std::move(*message));
      if (!oldest || time_of(one) < time_of(*oldest)) oldest = std::move(one);
    } catch (const sqlite::Error& error) {
      if (!busy) failure = std::current_exception();
      busy = busy || error.busy();
      ++failed;
    }
  }
  // What is being written to may hold one at the next try.
  if (failure && (failed == usable || (busy && !oldest))) std::rethrow_exception(failure);
  return oldest;
}

std::optional<Seats::Arrival> Seats::take() {
  // Where the lease is refused another session was faster, and there is less to choose from.
  while (auto oldest = next()) {
    Inbox& inbox = oldest->seat->inbox;
    const Inbox::NoWaiting no_waiting(inbox);
    if (!inbox.lease(oldest->message.activity_id)) continue;
    oldest->seat->hand_out(oldest->message);
    return oldest;
  }
  return std::nullopt;
}

void Seats::prolong_leases() noexcept {
  for (Seat& seat : seats_) {
    if (!seat.disabled().empty()) continue;
    try {
      seat.inbox.prolong_leases();
    } catch (const sqlite::Error& error) {
      log::debug("the leases of {} were not prolonged: {}", seat.id(), error.what());
    }
  }
}

std::vector<Seats::Arrival> Seats::peek(std::size_t limit, Inbox::Which which) {
  std::multimap<WallTime, Arrival> by_time;
  std::exception_ptr failure;
  for (Seat& seat : seats_) {
    try {
      const Inbox::NoWaiting no_waiting(seat.inbox);
      for (Message& message : seat.inbox.peek(limit, which)) {
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
    popped = seat.pop(activity_id);
    return popped;
  });
  return popped;
}

std::optional<Seats::Arrival> Seats::take_unless_busy(bool& busy) {
  try {
    busy = false;
    return take();
  } catch (const sqlite::Error& error) {
    if (!error.busy()) throw;
    busy = true;
    return std::nullopt;
  }
}

awaitable<std::optional<Seats::Arrival>> Seats::wait_until(Clock::time_point deadline) {
  bool busy = false;
  std::optional<Arrival> message = take_unless_busy(busy);
  while (!message && (busy || (any_in_use() && clock_.now() < deadline))) {
    // Another process is writing for long: that alone is no reason to fail.
    const Clock::time_point again = clock_.now() + busy_pause;
    [[maybe_unused]] auto arrived = co_await arrived_.wait_until(busy ? again : deadline);
    const bool patient = clock_.now() < deadline + busy_patience;
    message = patient ? take_unless_busy(busy) : take();
    if (!patient) break;
  }
  co_return message;
}

}  // namespace molecule::workspace

#include "workspace/workspaces.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <utility>

#include "base/log.hpp"
#include "base/process.hpp"
#include "base/text/text.hpp"
#include "base/text/time.hpp"

namespace molecule::workspace {

namespace {

constexpr std::size_t started_at_once = 16;

/// A message without a valid time goes first.
WallTime time_of(const Workspaces::Arrival& arrival) {
  return parse_rfc3339(arrival.message.created_at).value_or(WallTime::min());
}

/// As one inbox orders its messages (`by_urgency`).
bool more_urgent(const Workspaces::Arrival& a, const Workspaces::Arrival& b) {
  const auto rank = [](const std::string& kind) {
    if (kind == "delegation_result") return 0;
    return kind == "canvas_user" || kind == "request_update" ? 1 : 2;
  };
  const int first = rank(a.message.kind);
  const int second = rank(b.message.kind);
  return first != second ? first < second : time_of(a) < time_of(b);
}

/// While one lives, the other sessions know that this one waits.
class Waiting {
 public:
  explicit Waiting(Workspaces& workspaces) {
    for (Workspace& workspace : workspaces) {
      if (!workspace.in_use()) continue;
      workspace.inbox.sessions.begin_wait();
      waiting_.push_back(&workspace.inbox.sessions);
    }
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    for (Sessions* sessions : waiting_) sessions->end_wait();
  }

 private:
  std::vector<Sessions*> waiting_;
};

}  // namespace

Workspaces::Workspaces(const Config& config, asio::any_io_executor executor, net::HttpClient& http,
                       Clock& clock)
    : timing_(config.timing), clock_(clock), changed_(clock), watcher_(std::move(executor)) {
  for (const WorkspaceConfig& own : config.workspaces) {
    workspaces_.emplace_back(config, own, http, clock, changed_);
  }
}

void Workspaces::start(TaskGroup& tasks) {
  tasks.spawn("file watcher", watcher_.run());
  for (Workspace& workspace : workspaces_) workspace.prepare(tasks, watcher_);
  for (std::size_t i = 0; i < std::min(started_at_once, workspaces_.size()); ++i) {
    workspaces_[i].start();
  }
  if (workspaces_.size() <= started_at_once) return;
  tasks.spawn("start workspaces", start_others());
  tasks.spawn("release memory", release_memory());
}

awaitable<void> Workspaces::start_others() {
  for (std::size_t i = started_at_once; i < workspaces_.size(); ++i) {
    co_await sleep_for(clock_, timing_.start_interval);
    if (workspaces_[i].in_use()) workspaces_[i].start();
  }
}

/// Inboxes that were opened and closed leave gaps between what is still used.
awaitable<void> Workspaces::release_memory() {
  while (true) {
    co_await sleep_for(clock_, timing_.memory_release);
    process::release_memory();
  }
}

void Workspaces::release() {
  for (Workspace& workspace : workspaces_) workspace.release();
}

Workspace& Workspaces::default_workspace() {
  for (Workspace& workspace : workspaces_) {
    if (workspace.in_use()) return workspace;
  }
  return first();
}

Workspace& Workspaces::workspace_for_user() {
  Workspace* last = &default_workspace();
  for (Workspace& workspace : workspaces_) {
    if (workspace.in_use() && workspace.user_heard() > last->user_heard()) last = &workspace;
  }
  return *last;
}

bool Workspaces::reload_tokens() {
  bool changed = false;
  for (Workspace& workspace : workspaces_) changed = workspace.reload_token() || changed;
  return changed;
}

awaitable<void> Workspaces::retry_rejected() {
  for (Workspace& workspace : workspaces_) co_await workspace.retry_rejected();
}

awaitable<void> Workspaces::acknowledge() {
  for (Workspace& workspace : workspaces_) co_await workspace.acknowledge();
}

Workspace* Workspaces::find(std::string_view workspace_id) {
  for (Workspace& workspace : workspaces_) {
    if (text::equal_ignoring_case(workspace.id(), workspace_id)) return &workspace;
  }
  return nullptr;
}

Workspace* Workspaces::through_peer(const std::string& peer_id) {
  for (Workspace& workspace : workspaces_) {
    if (workspace.in_use() && workspace.knows_peer(peer_id)) return &workspace;
  }
  return nullptr;
}

std::string Workspaces::out_of_use() const {
  std::string reasons;
  for (const Workspace& workspace : workspaces_) {
    if (workspace.in_use()) continue;
    if (!reasons.empty()) reasons += '\n';
    reasons +=
        "Workspace " + workspace.id() + " receives nothing: " + workspace.state().reason + '.';
  }
  return reasons;
}

std::string Workspaces::troubles() {
  std::string lines;
  for (Workspace& workspace : workspaces_) {
    if (!workspace.in_use()) continue;
    const auto trouble = workspace.trouble();
    if (!trouble) continue;
    if (!lines.empty()) lines += '\n';
    lines += "Workspace " + workspace.id() + ": " + describe(*trouble);
  }
  return lines;
}

bool Workspaces::any_in_use() const {
  return std::ranges::any_of(workspaces_,
                             [](const Workspace& workspace) { return workspace.in_use(); });
}

Workspaces::Arrival Workspaces::arrival(Workspace& workspace, Message message) const {
  if (several()) message.arrival_workspace_id = workspace.id();
  workspace.complete(message);
  return {.workspace = &workspace, .message = std::move(message)};
}

/// Calls `look` for each until it returns true. An inbox that fails matters only if no other one
/// has what is wanted.
void Workspaces::each_inbox(const std::function<bool(Workspace& workspace)>& look) {
  std::exception_ptr failure;
  bool found = false;
  for (Workspace& workspace : workspaces_) {
    if (workspace.inbox.idle.empty()) continue;
    try {
      const Database::FailFast fail_fast(workspace.inbox.database);
      found = look(workspace);
    } catch (const StoreError&) {
      if (!failure) failure = std::current_exception();
    }
    if (found) return;
  }
  if (failure) std::rethrow_exception(failure);
}

std::optional<Workspaces::Arrival> Workspaces::next() {
  std::optional<Arrival> oldest;
  std::exception_ptr failure;
  std::size_t usable = 0;
  std::size_t failed = 0;
  bool busy = false;
  for (Workspace& workspace : workspaces_) {
    // This process could not answer its messages: other sessions can.
    if (!workspace.in_use()) continue;
    ++usable;
    if (workspace.inbox.idle.empty()) continue;
    try {
      const Database::FailFast fail_fast(workspace.inbox.database);
      auto message = workspace.inbox.leases.next();
      if (!message) continue;
      Arrival one = arrival(workspace, std::move(*message));
      if (!oldest || more_urgent(one, *oldest)) oldest = std::move(one);
    } catch (const StoreError& error) {
      if (!busy) failure = std::current_exception();
      busy = busy || error.busy();
      ++failed;
    }
  }
  // An inbox that is being written to may have one at the next try.
  if (failure && (failed == usable || (busy && !oldest))) std::rethrow_exception(failure);
  return oldest;
}

std::optional<Workspaces::Arrival> Workspaces::take() {
  // If the lease is refused, another session was faster, and one message fewer is left.
  while (auto oldest = next()) {
    Inbox& inbox = oldest->workspace->inbox;
    const Database::FailFast fail_fast(inbox.database);
    if (!inbox.leases.lease(oldest->message.activity_id, delivery::Event::wait)) continue;
    oldest->workspace->hand_out(oldest->message);
    return oldest;
  }
  return std::nullopt;
}

void Workspaces::renew_leases() noexcept {
  for (Workspace& workspace : workspaces_) {
    if (!workspace.in_use()) continue;
    try {
      workspace.inbox.leases.renew();
    } catch (const StoreError& error) {
      log::debug("the leases of {} were not renewed: {}", workspace.id(), error.what());
    }
  }
}

std::vector<Workspaces::Arrival> Workspaces::peek(std::size_t limit, Which which) {
  std::multimap<WallTime, Arrival> by_time;
  std::exception_ptr failure;
  for (Workspace& workspace : workspaces_) {
    if (workspace.inbox.idle.empty()) continue;
    try {
      const Database::FailFast fail_fast(workspace.inbox.database);
      Inbox& inbox = workspace.inbox;
      std::vector<Message> messages =
          which == Which::available ? inbox.leases.available(limit) : inbox.messages.peek(limit);
      for (Message& message : messages) {
        Arrival one = arrival(workspace, std::move(message));
        // One inbox alone keeps the platform's order.
        const WallTime time = several() ? time_of(one) : WallTime();
        by_time.emplace(time, std::move(one));
      }
    } catch (const StoreError&) {
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

std::size_t Workspaces::size() {
  std::size_t all = 0;
  each_inbox([&all](Workspace& workspace) {
    all += workspace.inbox.messages.size();
    return false;
  });
  return all;
}

std::optional<Workspaces::Arrival> Workspaces::find_message(std::string_view activity_id) {
  std::optional<Arrival> found;
  each_inbox([this, activity_id, &found](Workspace& workspace) {
    if (auto message = workspace.inbox.messages.find(activity_id))
      found = arrival(workspace, std::move(*message));
    return found.has_value();
  });
  return found;
}

bool Workspaces::remove(std::string_view activity_id) {
  bool removed = false;
  each_inbox([activity_id, &removed](Workspace& workspace) {
    removed = workspace.remove(activity_id);
    return removed;
  });
  return removed;
}

MessageStore::Popped Workspaces::pop(std::string_view activity_id) {
  auto popped = MessageStore::Popped::absent;
  each_inbox([activity_id, &popped](Workspace& workspace) {
    popped = workspace.pop(activity_id);
    return popped != MessageStore::Popped::absent;
  });
  return popped;
}

void Workspaces::show(const std::vector<Arrival>& arrivals) {
  for (Workspace& workspace : workspaces_) {
    std::vector<std::string> shown;
    for (const Arrival& arrival : arrivals) {
      if (arrival.workspace == &workspace) shown.push_back(arrival.message.activity_id);
    }
    // This process could not answer it: other sessions can.
    if (shown.empty() || !workspace.in_use()) continue;
    const Database::FailFast fail_fast(workspace.inbox.database);
    workspace.inbox.leases.show(shown);
  }
}

Workspaces::Open Workspaces::open(std::size_t limit) {
  Open all;
  for (Workspace& workspace : workspaces_) {
    // While it is idle, no session has anything in it.
    if (!workspace.in_use() || workspace.inbox.idle.state() != nullptr) continue;
    try {
      const Database::FailFast fail_fast(workspace.inbox.database);
      Leases::Open open = workspace.inbox.leases.open(limit - all.arrivals.size());
      for (Message& message : open.messages) {
        all.arrivals.push_back(arrival(workspace, std::move(message)));
      }
      all.more += open.more;
    } catch (const StoreError& error) {
      log::debug("inbox: {}", error.what());
    }
  }
  return all;
}

std::vector<std::string> Workspaces::lost() noexcept {
  std::vector<std::string> all;
  for (Workspace& workspace : workspaces_) {
    try {
      const Database::FailFast fail_fast(workspace.inbox.database);
      std::vector<std::string> lost = workspace.inbox.leases.lost();
      all.insert(all.end(), lost.begin(), lost.end());
    } catch (const StoreError& error) {
      log::debug("inbox: {}", error.what());
    }
  }
  return all;
}

std::optional<Workspaces::Arrival> Workspaces::take_unless_busy(bool& busy) {
  try {
    busy = false;
    return take();
  } catch (const StoreError& error) {
    if (!error.busy()) throw;
    busy = true;
    return std::nullopt;
  }
}

awaitable<std::optional<Workspaces::Arrival>> Workspaces::wait_until(Clock::time_point deadline) {
  bool busy = false;
  std::optional<Arrival> message = take_unless_busy(busy);
  if (message) co_return message;
  const Waiting waiting(*this);
  while (!message && (busy || (any_in_use() && clock_.now() < deadline))) {
    // Another process that keeps writing is no reason to fail.
    const Clock::time_point retry = clock_.now() + timing_.store_retry;
    // What another session was pushed, and what it had, comes free with time alone.
    const Clock::time_point again =
        busy ? retry : std::min<Clock::time_point>(deadline, clock_.now() + timing_.owner_check);
    [[maybe_unused]] auto changed = co_await changed_.wait_until(again);
    const bool patient = clock_.now() < deadline + timing_.store_patience;
    message = patient ? take_unless_busy(busy) : take();
    if (!patient) break;
  }
  co_return message;
}

}  // namespace molecule::workspace

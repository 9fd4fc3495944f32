#include "workspace/workspace.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "base/text/text.hpp"

namespace molecule::workspace {

namespace {

platform::Endpoint endpoint_of(const Config& config, const WorkspaceConfig& own) {
  return {.platform_url = own.platform_url, .workspace_id = own.id, .org_id = config.org_id};
}

}  // namespace

Workspace::Workspace(const Config& config, const WorkspaceConfig& own, net::HttpClient& http,
                     Clock& clock, Event& any_changed)
    : credentials(own.token, own.state_folder),
      client(
          http, endpoint_of(config, own), [this] { return credentials.token(); },
          [this](std::string_view refused) { return renew_token(refused); }, &clock),
      changes(clock, any_changed),
      inbox(own.state_folder, clock, config.timing),
      files(client, own.state_folder, own.upload_folder, clock, config.timing),
      workload(changes.event()),
      config_(config),
      own_(own),
      clock_(clock),
      owner_role_(own.id, inbox, own.state_folder, clock,
                  config.timing.record_refresh * config.workspaces.size()),
      removal_(client),
      token_refused_(clock),
      presence_(
          {client, inbox, owner_role_, credentials, removal_, changes, clock, config.timing},
          [this] { return total_load(); }, [this] { return agent_card(); }, token_refused_),
      acknowledgements_(client, inbox.poll_state, clock),
      poller_({client, inbox, owner_role_, credentials, removal_, changes, clock, config.timing},
              files, acknowledgements_, token_refused_),
      broadcasts_(
          {client, inbox, owner_role_, credentials, removal_, changes, clock, config.timing}),
      events_({client, inbox, owner_role_, credentials, removal_, changes, clock, config.timing},
              [this](Wakes wakes) { wake(wakes); }) {
  if (!config.heartbeat || !config.inbox) inbox.sessions.serve_in_part();
  if (config.handler && config.inbox && inbox.sessions.join(config.handler->session)) {
    inbox.tasks.set_conversation(config.handler->conversation);
  }
  // load_config has just checked that there is one.
  if (auto loaded = credentials.reload(); !loaded.ok()) log::warning("{}", loaded.error());
  announced_token_ = credentials.token();
}

/// Every call renews a refused token, so that a process that is not the owner also sees a rotated
/// token at once, and so does a call whose token another call has renewed meanwhile.
bool Workspace::renew_token(std::string_view refused) {
  credentials.refuse(refused);
  const auto reloaded = credentials.reload();
  return reloaded.ok() && credentials.has_other_than(refused);
}

void Workspace::prepare(TaskGroup& tasks, FileWatcher& watcher) {
  tasks_ = &tasks;
  watcher_ = &watcher;
}

void Workspace::start() {
  if (!running_.empty()) return;
  TaskGroup& tasks = *tasks_;
  FileWatcher& watcher = *watcher_;
  if (!config_.heartbeat && !config_.inbox) return;
  if (inbox.sessions.guest()) {
    // The daemon keeps the workspace online and the inbox filled.
    running_.push_back(tasks.spawn("watch inbox", watch_owner(watcher)));
    running_.push_back(tasks.spawn("files", files.run()));
    return;
  }
  running_.push_back(tasks.spawn("watch owner", watch_owner(watcher)));
  if (config_.heartbeat) {
    running_.push_back(tasks.spawn("register", register_workspace()));
    running_.push_back(tasks.spawn("register again", presence_.register_again()));
    running_.push_back(tasks.spawn("heartbeat", send_heartbeats()));
  }
  if (!config_.inbox) return;
  running_.push_back(tasks.spawn("inbox", poll()));
  running_.push_back(tasks.spawn("broadcasts", broadcasts_.run()));
  running_.push_back(tasks.spawn("events", events_.run()));
  running_.push_back(tasks.spawn("files", files.run()));
  running_.push_back(tasks.spawn("acknowledgements", acknowledgements_.run()));
}

awaitable<void> Workspace::watch_owner(FileWatcher& watcher) {
  while (true) {
    check();
    watch(watcher);
    Clock::duration pause = inbox.sessions.next_check();
    if (inbox.idle.may_rest()) pause = std::min<Clock::duration>(pause, config_.timing.rest_check);
    const Clock::time_point next_check = clock_.now() + pause;
    bool changed = true;
    while (changed) {
      publish_workload();
      changed = co_await changes.event().wait_until(next_check);
    }
  }
}

awaitable<void> Workspace::register_workspace() {
  auto rejected = co_await presence_.register_workspace();
  if (!rejected) co_return;
  disable(Use::rejected, *rejected + (config_.stays ? "; no restart is needed" : " and restart"));
}

awaitable<void> Workspace::send_heartbeats() {
  co_await presence_.send_heartbeats();
  removed();
}

void Workspace::wake(Wakes wakes) {
  if (wakes.messages) poller_.poll_now();
  if (wakes.broadcasts) broadcasts_.wake();
}

awaitable<void> Workspace::poll() {
  co_await poller_.run();
  removed();
}

/// Heartbeats and polls both end after a removal; the first to end reports it.
void Workspace::removed() {
  if (state_.use != Use::removed) disable(Use::removed, removal_.reason());
}

/// Refreshes the owner's liveness or takes over, and notices what other processes did to the inbox.
void Workspace::check() {
  if (!inbox.sessions.guest()) owner_role_.owns();
  if (inbox.idle.state() != nullptr) return;
  try {
    const bool freed = inbox.leases.free();
    inbox.workloads.forget_ended();
    if (inbox.database.changed_elsewhere()) {
      changes.messages_changed();
    } else if (freed) {
      changes.changed();
    }
    inbox.idle.rest();
  } catch (const StoreError& error) {
    log::debug("inbox: {}", error.what());
  }
}

/// For the owner, which reports it to the platform. What cannot be written now is written at the
/// next check, so that no call waits for it.
void Workspace::publish_workload() noexcept {
  if (inbox.sessions.guest() || owner_role_.owned() || workload.load() == published_workload_)
    return;
  try {
    inbox.workloads.publish(workload.load());
    published_workload_ = workload.load();
  } catch (const StoreError& error) {
    log::debug("inbox: {}", error.what());
  }
}

Load Workspace::total_load() {
  Load all = workload.load();
  if (inbox.idle.state() != nullptr) return all;
  try {
    Load others = inbox.workloads.of_others();
    all.active_tasks += others.active_tasks;
    if (all.current_task.empty()) all.current_task = std::move(others.current_task);
  } catch (const StoreError& error) {
    log::debug("inbox: {}", error.what());
  }
  return all;
}

std::optional<Trouble> Workspace::trouble() {
  if (owner_role_.owned()) return owner_role_.record().trouble;
  const auto record = read_owner_record(own_.state_folder);
  if (!record || !inbox.sessions.alive(record->session)) return std::nullopt;
  return record->trouble;
}

void Workspace::keep_card(std::string_view card) noexcept {
  try {
    inbox.agent_card.keep(card, own_.agent_card);
  } catch (const StoreError& error) {
    log::warning("the agent card could not be stored for the next start: {}", error.what());
  }
}

std::string Workspace::agent_card() {
  try {
    return inbox.agent_card.instead_of(own_.agent_card).value_or(own_.agent_card);
  } catch (const StoreError& error) {
    log::debug("inbox: {}", error.what());
    return own_.agent_card;
  }
}

/// Another process's commit reaches the write-ahead log a moment before it becomes visible. The
/// owner's polls show in its status record, which it writes after the commit.
void Workspace::watch(FileWatcher& watcher) {
  const unsigned opening = inbox.database.openings();
  if (watched_opening_ == opening) return;
  const auto on_write = [this](const std::string& name) {
    const bool own = name == status_file_name && owner_role_.owned();
    if (in_use() && !own) check();
  };
  const std::vector<std::string> names{"inbox.db", "inbox.db-wal", status_file_name};
  if (watcher.watch(own_.state_folder, names, on_write)) watched_opening_ = opening;
}

bool Workspace::remove(std::string_view activity_id) {
  const bool removed = inbox.messages.remove(activity_id);
  if (removed) changes.messages_changed();
  return removed;
}

MessageStore::Popped Workspace::pop(std::string_view activity_id) {
  const auto popped = inbox.messages.pop(activity_id);
  if (popped == MessageStore::Popped::removed) changes.messages_changed();
  return popped;
}

void Workspace::release() {
  try {
    inbox.release();
    owner_role_.released();
  } catch (const StoreError& error) {
    // The kernel shows the others this process's end.
    log::debug("inbox: {}", error.what());
  }
}

void Workspace::disable(Use why, std::string reason) {
  state_ = {.use = why, .reason = std::move(reason)};
  log::error("{}", state_.reason);
  if (!inbox.sessions.guest()) owner_role_.resign(state_.reason);
  release();
  published_workload_ = {};
  for (const TaskGroup::Id task : std::exchange(running_, {})) tasks_->cancel(task);
  changes.changed();
}

bool Workspace::reload_token() {
  const bool changed = credentials.reload().ok() && credentials.token() != announced_token_;
  if (!changed || state_.use == Use::removed) return false;
  announced_token_ = credentials.token();
  log::info("workspace {} continues with the token of {}", id(), credentials.token_source());
  if (!in_use()) go_on();
  return true;
}

void Workspace::go_on() {
  state_ = {};
  owner_role_.undo_resign();
  start();
  changes.changed();
}

awaitable<void> Workspace::retry_rejected() {
  if (state_.use != Use::rejected) co_return;
  auto answer = co_await client.peers();
  if (answer && state_.use == Use::rejected) go_on();
}

awaitable<void> Workspace::acknowledge() {
  if (config_.inbox && owner_role_.owned()) co_await acknowledgements_.acknowledge();
}

void Workspace::know_peer(const platform::Peer& peer) {
  const std::string id = text::lower(peer.id);
  if (known_peers_.size() >= max_known_peers && !known_peers_.contains(id)) return;
  known_peers_[id] = peer;
}

void Workspace::know_sender(const Message& message) {
  const std::string id = text::lower(message.peer_id);
  if (id.empty() || known_peers_.size() >= max_known_peers) return;
  known_peers_.try_emplace(id, platform::Peer{.id = message.peer_id,
                                              .name = message.peer_name,
                                              .role = message.peer_role,
                                              .status = {}});
}

void Workspace::hand_out(const Message& message) {
  know_sender(message);
  if (message.kind == "canvas_user") user_heard_ = clock_.now();
}

void Workspace::complete(Message& message) {
  files.complete(message);
  name_peer(message);
}

void Workspace::name_peer(Message& message) const {
  const auto known = known_peers_.find(message.peer_id);
  if (known == known_peers_.end()) return;
  if (message.peer_name.empty()) message.peer_name = known->second.name;
  if (message.peer_role.empty()) message.peer_role = known->second.role;
}

bool Workspace::knows_peer(const std::string& peer_id) {
  if (known_peers_.contains(peer_id)) return true;
  try {
    return config_.inbox && inbox.messages.has_from(peer_id);
  } catch (const StoreError&) {
    return false;
  }
}

}  // namespace molecule::workspace

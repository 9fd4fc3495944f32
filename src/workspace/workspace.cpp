#include "workspace/workspace.hpp"

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
                     Clock& clock, const Hooks& hooks)
    : credentials(own.token, own.state_folder),
      client(
          http, endpoint_of(config, own), [this] { return credentials.token(); },
          [this](std::string_view refused) { return renew_token(refused); }),
      inbox(own.state_folder, clock),
      files(client, own.state_folder, own.upload_folder, clock),
      ownership(own.id, inbox, clock),
      config_(config),
      own_(own),
      clock_(clock),
      on_arrival_(hooks.on_arrival),
      on_change_(hooks.on_change),
      removal_(client, [this, hooks](const std::string& text) { hooks.on_removed(*this, text); }),
      presence_(
          client, ownership, credentials, removal_, [this] { return work(); }, clock,
          [this] { return agent_card(); },
          [this, hooks](const std::string& text) { hooks.on_rejected(*this, text); }),
      acknowledgements_(client, inbox, clock),
      poller_(client, inbox, ownership, credentials, removal_, clock) {
  if (!config.heartbeat || !config.inbox) inbox.sessions().serve_in_part();
  inbox.on_arrival = [this] {
    arrived();
    changed();
  };
  poller_.receive_with(files);
  poller_.acknowledge_with(acknowledgements_);
  // load_config has just seen that there is one.
  if (auto loaded = credentials.reload(); !loaded.ok()) log::warning("{}", loaded.error());
  announced_token_ = credentials.token();
}

/// Whoever makes the call: also one that is not the owner sees a rotated token at once, and so does
/// one whose token another call has renewed meanwhile.
bool Workspace::renew_token(std::string_view refused) {
  const auto reloaded = credentials.reload();
  return reloaded.ok() && credentials.token() != refused;
}

void Workspace::start(TaskGroup& tasks, FileWatcher& watcher) {
  tasks_ = &tasks;
  watcher_ = &watcher;
  if (!config_.heartbeat && !config_.inbox) return;
  workload.on_change = [this] { publish_workload(); };
  running_.push_back(tasks.spawn("look around", watch_owner(watcher)));
  if (config_.heartbeat) {
    running_.push_back(tasks.spawn("register", presence_.register_workspace()));
    running_.push_back(tasks.spawn("heartbeat", presence_.beat()));
  }
  if (!config_.inbox) return;
  running_.push_back(tasks.spawn("inbox", poller_.run()));
  running_.push_back(tasks.spawn("files", files.run()));
  running_.push_back(tasks.spawn("acknowledgements", acknowledgements_.run()));
}

awaitable<void> Workspace::watch_owner(FileWatcher& watcher) {
  while (true) {
    look();
    watch(watcher);
    const Clock::duration pause = inbox.sessions().next_look();
    co_await sleep_for(clock_, pause);
  }
}

/// Beats or takes over, and sees what became free in the inbox.
void Workspace::look() {
  ownership.owns();
  try {
    const bool freed = inbox.free_leases();
    const bool elsewhere = inbox.changed_elsewhere();
    if (freed || elsewhere) arrived();
    if (elsewhere) changed();
  } catch (const sqlite::Error& error) {
    log::debug("inbox: {}", error.what());
  }
  publish_workload();
}

/// The owner tells the platform. What could not be told now is told at the next look, so that no
/// call waits for it.
void Workspace::publish_workload() noexcept {
  if (ownership.owned() || workload.load() == published_workload_) return;
  try {
    inbox.publish_workload(workload.load());
    published_workload_ = workload.load();
  } catch (const sqlite::Error& error) {
    log::debug("inbox: {}", error.what());
  }
}

Load Workspace::work() {
  Load all = workload.load();
  try {
    Load others = inbox.load_of_others();
    all.active_tasks += others.active_tasks;
    if (all.current_task.empty()) all.current_task = std::move(others.current_task);
  } catch (const sqlite::Error& error) {
    log::debug("inbox: {}", error.what());
  }
  return all;
}

void Workspace::keep_card(std::string_view card) noexcept {
  try {
    inbox.keep_card(card, own_.agent_card);
  } catch (const sqlite::Error& error) {
    log::warning("the agent card is not kept for the next start: {}", error.what());
  }
}

std::string Workspace::agent_card() {
  try {
    return inbox.card_instead_of(own_.agent_card).value_or(own_.agent_card);
  } catch (const sqlite::Error& error) {
    log::debug("inbox: {}", error.what());
    return own_.agent_card;
  }
}

/// What another process commits goes into the log first, but can be seen only a moment after that.
/// What the owner's polls bring wakes by the owner's record, which it writes after the commit.
void Workspace::watch(FileWatcher& watcher) {
  if (watched_) return;
  const auto on_write = [this] {
    if (disabled_.empty()) look();
  };
  watched_ = watcher.watch(own_.state_folder / "inbox.db-wal", on_write) &&
             watcher.watch(own_.state_folder / "status.json", on_write);
}

void Workspace::arrived() {
  if (on_arrival_) on_arrival_(*this);
}

void Workspace::changed() {
  if (!on_change_) return;
  std::vector<std::string> popped;
  try {
    popped = inbox.newly_popped();
  } catch (const sqlite::Error& error) {
    log::debug("inbox: {}", error.what());
    inbox.look_again();
  }
  on_change_(*this, popped);
}

bool Workspace::pop(std::string_view activity_id) {
  const bool popped = inbox.pop(activity_id);
  if (popped) changed();
  return popped;
}

void Workspace::release() {
  try {
    inbox.release();
    ownership.released();
  } catch (const sqlite::Error& error) {
    // The kernel tells the others of this process's end.
    log::debug("inbox: {}", error.what());
  }
}

void Workspace::disable(std::string why) {
  disabled_ = std::move(why);
  ownership.resign(disabled_);
  release();
  published_workload_ = {};
  for (const TaskGroup::Id task : std::exchange(running_, {})) tasks_->cancel(task);
  // Who waits for a message of this workspace waits in vain.
  arrived();
}

bool Workspace::reload_token() {
  const bool changed = credentials.reload().ok() && credentials.token() != announced_token_;
  if (!changed || removal_.known()) return false;
  announced_token_ = credentials.token();
  log::info("workspace {} goes on with the token of {}", id(), credentials.token_source());
  if (!disabled_.empty()) {
    disabled_.clear();
    ownership.stand_again();
    start(*tasks_, *watcher_);
    arrived();
  }
  return true;
}

void Workspace::know_peer(const platform::Peer& peer) {
  const std::string id = text::lower(peer.id);
  if (known_peers_.size() >= most_known_peers && !known_peers_.contains(id)) return;
  known_peers_[id] = peer;
}

void Workspace::know_writer(const Message& message) {
  const std::string id = text::lower(message.peer_id);
  if (id.empty() || known_peers_.size() >= most_known_peers) return;
  known_peers_.try_emplace(id, platform::Peer{.id = message.peer_id,
                                              .name = message.peer_name,
                                              .role = message.peer_role,
                                              .status = {}});
}

void Workspace::hand_out(const Message& message) {
  know_writer(message);
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
    return config_.inbox && inbox.has_from(peer_id);
  } catch (const sqlite::Error&) {
    return false;
  }
}

}  // namespace molecule::workspace

#include "molecule/workspace/seat.hpp"

#include <utility>

#include "molecule/base/log.hpp"

namespace molecule::workspace {

namespace {

platform::Endpoint endpoint_of(const Config& config, const WorkspaceConfig& own) {
  return {.platform_url = own.platform_url, .workspace_id = own.id, .org_id = config.org_id};
}

}  // namespace

Seat::Seat(const Config& config, const WorkspaceConfig& own, net::HttpClient& http, Clock& clock,
           const Hooks& hooks)
    : credentials(own.token, own.state_folder),
      client(http, endpoint_of(config, own), [this] { return credentials.token(); }),
      inbox(own.state_folder, clock),
      config_(config),
      own_(own),
      presence_(client, credentials, workload, clock, own.agent_card,
                [this, hooks](const std::string& text) {
                  if (hooks.on_rejected) hooks.on_rejected(*this, text);
                }),
      poller_(client, inbox, credentials, clock,
              [this, hooks](const std::vector<Message>& messages) {
                if (hooks.on_new) hooks.on_new(*this, messages);
              }) {
  // load_config has just seen that there is one.
  if (auto loaded = credentials.reload(); !loaded.ok()) log::warning("{}", loaded.error());
}

void Seat::start(TaskGroup& tasks) {
  tasks_ = &tasks;
  if (config_.heartbeat) {
    running_.push_back(tasks.spawn("register", presence_.register_workspace()));
    running_.push_back(tasks.spawn("heartbeat", presence_.beat()));
  }
  if (config_.inbox) running_.push_back(tasks.spawn("inbox", poller_.run()));
}

void Seat::disable(std::string why) {
  disabled_ = std::move(why);
  for (const TaskGroup::Id task : std::exchange(running_, {})) tasks_->cancel(task);
}

void Seat::know_peer(const std::string& peer_id) {
  if (peer_id.empty() || known_peers_.size() >= most_known_peers) return;
  known_peers_.insert(peer_id);
}

bool Seat::knows_peer(const std::string& peer_id) {
  if (known_peers_.contains(peer_id)) return true;
  try {
    return config_.inbox && inbox.has_from(peer_id);
  } catch (const sqlite::Error&) {
    return false;
  }
}

}  // namespace molecule::workspace

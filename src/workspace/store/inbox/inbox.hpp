#pragma once

#include <filesystem>

#include "base/async/clock.hpp"
#include "workspace/store/database.hpp"
#include "workspace/store/handler_turns.hpp"
#include "workspace/store/idle_inbox.hpp"
#include "workspace/store/inbox/agent_card_store.hpp"
#include "workspace/store/inbox/delegated_tasks.hpp"
#include "workspace/store/inbox/leases.hpp"
#include "workspace/store/inbox/message_store.hpp"
#include "workspace/store/inbox/ownership.hpp"
#include "workspace/store/inbox/poll_state.hpp"
#include "workspace/store/sessions.hpp"
#include "workspace/store/workloads.hpp"

namespace molecule::workspace {

/// The durable inbox of one workspace, `inbox.db` in its state folder: one database, and one class
/// for each thing that is kept there. Several processes may use it at once (`Sessions`); one of
/// them owns it and fills it.
struct Inbox {
  /// Touches no disk: the first use opens the file.
  Inbox(const std::filesystem::path& state_folder, Clock& clock, const Timing& timing);
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  /// At the end of this session: ends its leases, its work and its ownership.
  void release();

  Sessions sessions;
  Database database;
  IdleInbox idle;
  PollState poll_state;
  Ownership ownership;
  Leases leases;
  MessageStore messages;
  AgentCardStore agent_card;
  DelegatedTasks tasks;
  Workloads workloads;
  HandlerTurns turns;
};

}  // namespace molecule::workspace

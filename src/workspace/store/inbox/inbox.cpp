#include "workspace/store/inbox/inbox.hpp"

#include "workspace/store/inbox/sql.hpp"

namespace molecule::workspace {

Inbox::Inbox(const std::filesystem::path& state_folder, Clock& clock, const Timing& timing)
    : sessions(state_folder, clock, timing),
      database(
          state_folder / "inbox.db", "the inbox",
          [this](sqlite::Database& db) {
            const bool earlier = database.openings() > 0 || sessions.any_owner_yet();
            if (migrate(db) && earlier) poll_state.look_back(db);
            messages.opened(db);
          },
          timing),
      idle(database, clock),
      poll_state(database, idle, ownership, state_folder, clock, timing),
      ownership(database, idle, sessions, poll_state),
      leases(database, sessions, timing),
      messages(database, idle, leases, ownership, poll_state, clock, timing),
      agent_card(database),
      tasks(database, sessions, clock, timing),
      workloads(database, sessions),
      turns(database, leases, sessions, clock) {}

void Inbox::release() {
  // A guest has nothing of its own.
  if (sessions.guest()) return;
  if (!database.is_open()) {
    // Nothing of this session is in it but its name as the owner.
    sessions.leave();
    return;
  }
  database.use([this](sqlite::Database& db) {
    sqlite::Transaction transaction(db);
    leases.release();
    workloads.withdraw();
    ownership.release();
    transaction.commit();
  });
}

}  // namespace molecule::workspace

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/clock.hpp"
#include "base/text/time.hpp"
#include "workspace/store/database.hpp"
#include "workspace/store/idle_inbox.hpp"
#include "workspace/store/inbox/leases.hpp"
#include "workspace/store/inbox/message.hpp"
#include "workspace/store/inbox/ownership.hpp"
#include "workspace/store/inbox/poll_state.hpp"

namespace molecule::workspace {

/// The messages that wait, and the ids of those that were removed. A message waits until it is
/// removed, and a removed one never returns as long as the platform keeps its row: removed ids are
/// kept for `Timing::removed_kept`, and the newest 100,000 of them without limit. Throws
/// `StoreError`; nothing is changed then.
class MessageStore {
 public:
  /// With this many waiting, the poller stops fetching until some are removed.
  static constexpr std::size_t max_waiting = 10'000;

  MessageStore(Database& database, IdleInbox& idle, Leases& leases, Ownership& ownership,
               PollState& poll_state, Clock& clock, const Timing& timing)
      : database_(database),
        idle_(idle),
        leases_(leases),
        ownership_(ownership),
        poll_state_(poll_state),
        clock_(clock),
        timing_(timing) {}

  /// For the owner, others get `NotTheOwner`: stores the new ones of `messages` (oldest first) and
  /// lets the cursor pass them, in one transaction; the rest is as in `PollState::advance`. Returns
  /// how many were new.
  std::size_t store(const std::vector<Message>& messages, const std::string& cursor,
                    std::int64_t sequence = 0,
                    std::optional<WallTime> cursor_created = std::nullopt);

  /// The same for broadcasts, which have a cursor of their own.
  std::size_t store_broadcasts(const std::vector<Message>& messages, const std::string& cursor,
                               std::optional<WallTime> cursor_created = std::nullopt);

  /// The waiting message of that id.
  std::optional<Message> find(std::string_view activity_id);
  /// Those that wait, whichever session has them, oldest first.
  std::vector<Message> peek(std::size_t limit);
  std::optional<Message> oldest();
  std::size_t size();
  bool full() { return size() >= max_waiting; }
  /// True if one of them is from that peer.
  bool has_from(std::string_view peer_id);

  /// False if there was no such message, which is not an error. Idempotent. The session's other
  /// leases are renewed: it is at work.
  bool remove(std::string_view activity_id);
  enum class Popped { removed, absent, refused };
  /// As `remove`, unless another session that runs has the message or asked for it.
  Popped pop(std::string_view activity_id);
  /// Adds a message that is no row of the platform's, for any session; false if it is there already
  /// or was removed.
  bool add(const Message& message);
  /// What any session has removed since the last call, or since this one opened the file.
  std::vector<std::string> newly_removed();

  /// For `Inbox`: from now on `newly_removed` tells what is removed.
  void opened(sqlite::Database& db);

 private:
  /// A row of `select_messages`.
  Message read(const sqlite::Statement& row) const;
  bool remove(sqlite::Database& db, std::string_view activity_id);
  template <class Advance>
  std::size_t store_new(const std::vector<Message>& messages, Advance advance);

  Database& database_;
  IdleInbox& idle_;
  Leases& leases_;
  Ownership& ownership_;
  PollState& poll_state_;
  Clock& clock_;
  const Timing& timing_;
  /// `popped_at` of the last one that `newly_removed` returned.
  std::optional<std::int64_t> last_removed_;
};

}  // namespace molecule::workspace

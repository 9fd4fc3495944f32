#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "workspace/store/database.hpp"
#include "workspace/store/inbox/message.hpp"
#include "workspace/store/sessions.hpp"

namespace molecule::workspace {

/// Which session has which message. Several processes may serve one workspace; a message that was
/// given to one session is leased to it, and no other session is given it until the lease ends: by
/// the message's removal, with the session, or after `Timing::lease`. Throws `StoreError`.
class Leases {
 public:
  Leases(Database& database, Sessions& sessions, const Timing& timing)
      : database_(database), sessions_(sessions), timing_(timing) {}

  /// The oldest message that may be given to this session: it has the lease, or nobody does. Leases
  /// nothing.
  std::optional<Message> next();
  /// What may be given to this session, oldest first. Leases nothing.
  std::vector<Message> available(std::size_t limit);
  /// Leases the message to this session, or prolongs its lease; false if it was removed or belongs
  /// to another session by now.
  bool lease(std::string_view activity_id);
  /// Leases to this session what it has not announced and may be given, and returns that. A message
  /// that comes back to it after its lease has run out is not announced again.
  std::vector<Message> announce(std::size_t limit);
  /// Prolongs all leases of this session: work at one message keeps the others. Opens no file:
  /// a session that has not used the inbox has no lease.
  void prolong();
  /// Ends the leases of sessions that have ended, and those that have run out; true if there were
  /// any.
  bool free();
  /// Ends the leases of this session. Opens no file.
  void release();

  /// True if another session that is running has a lease of these values.
  bool held_elsewhere(Sessions::Id session, std::int64_t leased_at) const;

 private:
  std::int64_t oldest_valid() const;

  Database& database_;
  Sessions& sessions_;
  const Timing& timing_;
  /// Row numbers of the announced messages that still wait.
  std::unordered_set<std::int64_t> announced_;
};

}  // namespace molecule::workspace

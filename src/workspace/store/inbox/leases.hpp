#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "workspace/store/database.hpp"
#include "workspace/store/delivery.hpp"
#include "workspace/store/inbox/message.hpp"
#include "workspace/store/sessions.hpp"

namespace molecule::workspace {

/// Which session has which message, by the rules of `delivery`. Several processes may serve one
/// workspace; a message that was given to one session is leased to it, and no other session is
/// given it until the lease ends: by the message's removal, with the session, or after
/// `Timing::lease`. Throws `StoreError`.
class Leases {
 public:
  Leases(Database& database, Sessions& sessions, const Timing& timing)
      : database_(database), sessions_(sessions), timing_(timing) {}

  /// What a wait of this session is given next: the most urgent that it was not given yet. Leases
  /// nothing.
  std::optional<Message> next();
  /// Leases the message to this session, or prolongs its lease; false if it was removed or is
  /// another session's by now.
  bool lease(std::string_view activity_id, delivery::Event event = delivery::Event::act);
  /// What this session has, and what a look into the inbox gives it; oldest first. Leases nothing.
  std::vector<Message> available(std::size_t limit);
  /// The agent has been shown these by a look into the inbox: leases what that gives it.
  void show(const std::vector<std::string>& activity_ids);

  struct Announced {
    std::vector<Message> messages;
    /// More may be announced after `Timing::push_hold`, unless a session that waits takes it.
    bool held_back = false;
  };
  /// What is to be pushed to this session's host, each message once; leases nothing.
  Announced announce(std::size_t limit);

  struct Open {
    std::vector<Message> messages;
    /// How many more there are.
    std::size_t more = 0;
  };
  /// What this session has, oldest first; of each text the first characters.
  Open open(std::size_t limit);
  /// What was pushed or given to this session and is another one's by now, or was removed by it.
  /// Each is told once.
  std::vector<std::string> lost();
  /// This session removes the message: not lost.
  void forget(std::string_view activity_id);

  /// Prolongs all leases of this session: work at one message keeps the others. Opens no file:
  /// a session that has not used the inbox has no lease.
  void prolong();
  /// The same without ever throwing: a lease that could not be prolonged lasts for several tries.
  void prolong_quietly() noexcept;
  /// Ends what sessions that have ended had, and what has run out; true if there was any.
  bool free();
  /// Ends what this session has. Opens no file.
  void release();

  /// True if another session has the message, is about to act on it, or asked for it.
  bool elsewhere(const delivery::Record& record);
  /// True if it has it or asked for it, so that this one may not act on it.
  bool refused(const delivery::Record& record);
  /// Without the claims of sessions that have ended.
  delivery::State state_of(const delivery::Record& record);

 private:
  delivery::Viewer viewer();
  delivery::Step step(delivery::State state, delivery::Event event, bool another_waits) const;
  bool held_back(std::int64_t seq);
  std::vector<std::int64_t> choose_announced(sqlite::Database& db, std::size_t limit);
  void remember(std::int64_t seq, std::string_view activity_id);

  Database& database_;
  Sessions& sessions_;
  const Timing& timing_;
  /// Row numbers of the messages that were pushed to this session and still wait.
  std::unordered_set<std::int64_t> announced_;
  /// Since when a push has left them to a session that waits.
  std::unordered_map<std::int64_t, std::int64_t> held_since_;
  /// What the agent was told of, by row number.
  std::map<std::int64_t, std::string> known_;
};

}  // namespace molecule::workspace

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/clock.hpp"
#include "base/text/time.hpp"
#include "workspace/store/database.hpp"
#include "workspace/store/delivery.hpp"
#include "workspace/store/inbox/leases.hpp"
#include "workspace/store/inbox/message.hpp"
#include "workspace/store/sessions.hpp"

namespace molecule::workspace {

/// The messageId of a handler's answer: the same for every try of a turn.
std::string handler_answer_id(std::string_view activity_id);

/// What the daemon remembers of its handlers, so that a crash repeats a turn at most and never an
/// answer: tries of each message and answers that are not sent yet, the sessions of conversations,
/// the log of turns, pauses, and the processes that run. Throws `StoreError`.
class HandlerTurns {
 public:
  HandlerTurns(Database& database, Leases& leases, Sessions& sessions, Clock& clock)
      : database_(database), leases_(leases), sessions_(sessions), clock_(clock) {}

  /// A message that a handler might be given.
  struct Candidate {
    std::string activity_id;
    std::string kind;
    std::string peer_id;
    /// Of a task's answer: the conversation in which a handler delegated the task.
    std::string conversation;
    /// Of a `delegation_result`: a task of this workspace waits for it.
    bool awaited = false;
    delivery::State state = delivery::State::free;
    int tries = 0;
    WallTime next_try;
    bool has_answer = false;
    /// Why the last try failed; empty before the first one.
    std::string reason;
  };
  /// Those that wait and are not set aside, in the order in which they are to be handled.
  std::vector<Candidate> candidates();
  /// Leases the message to this session; false if another one was faster.
  bool take(const Candidate& candidate);
  /// Gives it back, so that other sessions may have it.
  void give_back(std::string_view activity_id);

  /// Another try failed: the next one is not before `next_try`.
  void failed(std::string_view activity_id, int tries, WallTime next_try, std::string_view reason);
  /// No more tries; the message stays, and `set_aside` shows it.
  void set_aside(std::string_view activity_id, std::string_view reason);
  /// The answer is known, and is to be sent until that succeeds.
  void keep_answer(std::string_view activity_id, std::string_view answer);
  std::optional<std::string> answer(std::string_view activity_id);

  struct SetAside {
    Message message;
    std::string reason;
    int tries = 0;
    WallTime since;
  };
  /// The messages that no handler could answer, oldest first.
  std::vector<SetAside> set_aside(std::size_t limit);
  /// False if it is not set aside. True: the handlers try it again.
  bool try_again(std::string_view activity_id);

  struct Session {
    std::string id;
    std::string working_directory;
  };
  std::optional<Session> session(std::string_view conversation, std::string_view runner);
  void keep_session(std::string_view conversation, std::string_view runner, const Session& session);
  void forget_session(std::string_view conversation, std::string_view runner);

  /// Notes a turn that begins now; `peer` is empty for the person.
  std::int64_t begin_turn(std::string_view peer);
  /// What it cost, in millionths of a dollar.
  void add_cost(std::int64_t turn, std::int64_t micro_dollars);
  /// How many turns began since then, of all or of one peer.
  int turns_since(WallTime since, std::optional<std::string_view> peer = std::nullopt);
  std::int64_t cost_since(WallTime since);
  /// When the oldest turn since then began.
  std::optional<WallTime> first_turn_since(WallTime since);

  /// Automatic turns with a peer since a person or a new task was there.
  struct Pair {
    int automatic = 0;
    /// Since when no turn is started; empty if it is not paused.
    std::optional<WallTime> paused_at;
    /// When a person of this side last gave it a task, without a handler.
    std::optional<WallTime> last_task;
    /// When this was last written.
    std::optional<WallTime> changed_at;
  };
  Pair pair(std::string_view peer);
  void keep_pair(std::string_view peer, int automatic, std::optional<WallTime> paused_at);
  /// The person wrote: all pairs begin anew.
  void forget_pairs();

  struct Process {
    std::int64_t process = 0;
    std::string started;
    std::string mark;
  };
  void started(const Process& process);
  void ended(std::int64_t process);
  /// Takes out what sessions that have ended left running.
  std::vector<Process> take_orphans();

 private:
  Database& database_;
  Leases& leases_;
  Sessions& sessions_;
  Clock& clock_;
};

}  // namespace molecule::workspace

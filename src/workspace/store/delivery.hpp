#pragma once

#include <cstdint>

namespace molecule::workspace::delivery {

// Which session is handed which message: the rules alone, without clocks, files or tables.
// docs/spec/delivery.md has them as a table.

/// 0: nobody.
using Session = std::int64_t;
/// Microseconds of one monotonic clock.
using Time = std::int64_t;

/// What the inbox knows of one message.
struct Record {
  /// It answers a task that this session delegated.
  Session asked_by = 0;
  /// Who was pushed it last.
  Session announced_to = 0;
  Time announced_at = 0;
  /// Who has it.
  Session holder = 0;
  /// When the holder's agent was last shown it.
  Time given_at = 0;
  /// When the holder last showed that it is at work.
  Time leased_at = 0;

  bool operator==(const Record&) const = default;
};

struct Limits {
  Time lease;
  Time announcement;
};

/// The session that decides, and when.
struct Viewer {
  Session self;
  Time now;
  Limits limits;
};

enum class State {
  free,                 ///< anybody's
  own_answer,           ///< answers a task of this session, and nobody has it
  announced_here,       ///< this session was pushed it and has not acted yet
  announced_elsewhere,  ///< another session was, a moment ago
  open_here,            ///< this session has it
  due_here,        ///< this session has it, and was given it so long ago that it may be forgotten
  held_elsewhere,  ///< another session has it
  reserved_elsewhere  ///< answers a task of another session, and nobody has it
};

enum class Event {
  wait,  ///< the session waits for a message
  push,  ///< the session's host takes pushes, and the message was not pushed to it yet
  peek,  ///< the agent looks into the inbox
  act    ///< the agent answers, removes or reads this message
};

enum class Step {
  nothing,   ///< neither given nor hidden: a look into the inbox shows it
  announce,  ///< push it, and remember to whom
  give,      ///< the session has it from now on
  keep,      ///< the session has it already
  refuse     ///< it is another session's
};

/// The record without the claims of sessions that have ended. `alive` is a predicate on sessions.
template <class Alive>
Record without_ended(Record record, Alive alive) {
  if (record.asked_by != 0 && !alive(record.asked_by)) record.asked_by = 0;
  if (record.announced_to != 0 && !alive(record.announced_to)) record.announced_to = 0;
  if (record.holder != 0 && !alive(record.holder)) record.holder = 0;
  return record;
}

/// `record` as `without_ended` returns it.
State state_of(const Record& record, const Viewer& viewer);

/// What `event` does in `state`. While another session waits, what is free is left to it.
Step next(State state, Event event, bool another_waits);

/// The record after that step.
Record after(Record record, Step step, const Viewer& viewer);

}  // namespace molecule::workspace::delivery

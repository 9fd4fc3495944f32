#pragma once

#include <optional>
#include <string>

namespace molecule::daemon {

// When two agents that answer each other are stopped: pure decisions, without clocks and tables.

inline constexpr int max_automatic_turns = 8;
inline constexpr int max_turns_of_pair = 20;
/// The minutes in which `max_turns_of_pair` count.
inline constexpr int pair_minutes = 5;

/// What is known of the agent that wrote a message, and of the message.
struct Exchange {
  /// How many agents its chain has passed; -1: its sender does not count them.
  int hops = -1;
  /// Turns with this agent since a person or a new task was there, this one not counted.
  int automatic = 0;
  /// Turns with this agent within `pair_minutes`.
  int recent = 0;
  bool paused = false;
  /// A person of this side gave it a task since it was paused, or since the last turn.
  bool new_task = false;
};

struct Verdict {
  /// A turn may begin.
  bool go = true;
  /// Automatic turns including this one.
  int automatic = 0;
  /// The pair is paused from now on, after this turn where there is one. Both sides count the same,
  /// so that each tells its own person.
  bool pause = false;
  /// Why, for people; set with `pause`, and where the pair is paused already.
  std::string reason = {};
};

/// Whether a message of an agent starts a turn.
Verdict judge(const Exchange& exchange);

}  // namespace molecule::daemon

#include "daemon/loop_guard.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace molecule::daemon {

Verdict judge(const Exchange& exchange) {
  // A sender that counts and begins at 0 has a person behind it, or a new task.
  const bool fresh = exchange.hops == 0 || exchange.new_task;
  const int before = fresh ? 0 : exchange.automatic;
  Verdict verdict;
  if (exchange.paused && !fresh) {
    verdict.go = false;
    verdict.automatic = before;
    verdict.reason = "the conversation with this agent is paused";
    return verdict;
  }
  if (exchange.recent >= max_turns_of_pair) {
    verdict.go = false;
    verdict.automatic = before;
    verdict.pause = true;
    verdict.reason = fmt::format("{} turns within {} minutes", exchange.recent, pair_minutes);
    return verdict;
  }
  // The chain counts both sides' turns, the own count only ours.
  const int hops = std::max(exchange.hops, 0);
  if (hops >= max_automatic_turns || before >= max_automatic_turns) {
    verdict.go = false;
    verdict.automatic = before;
  } else {
    verdict.automatic = before + 1;
  }
  const int after = verdict.go ? hops + 1 : hops;
  verdict.pause = after >= max_automatic_turns || verdict.automatic >= max_automatic_turns;
  if (verdict.pause) {
    verdict.reason =
        fmt::format("{} automatic turns without a person or a new task", max_automatic_turns);
  }
  return verdict;
}

}  // namespace molecule::daemon

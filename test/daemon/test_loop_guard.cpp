#include <doctest/doctest.h>

#include "daemon/loop_guard.hpp"

using molecule::daemon::Exchange;
using molecule::daemon::judge;
using molecule::daemon::Verdict;

TEST_CASE("loop guard: two sides that count hops stop at the same turn, and both pause") {
  int automatic[2] = {0, 0};
  bool paused[2] = {false, false};
  int turns = 0;
  int hops = 0;
  for (int side = 0; turns < 100; side = 1 - side) {
    const Verdict verdict = judge({.hops = hops, .automatic = automatic[side]});
    automatic[side] = verdict.automatic;
    paused[side] = paused[side] || verdict.pause;
    if (!verdict.go) break;
    ++turns;
    ++hops;
  }
  CHECK(turns == 8);
  CHECK(paused[0]);
  CHECK(paused[1]);
}

TEST_CASE("loop guard: a peer that does not count is counted here") {
  int automatic = 0;
  int turns = 0;
  while (turns < 100) {
    const Verdict verdict = judge({.hops = -1, .automatic = automatic});
    if (!verdict.go) break;
    automatic = verdict.automatic;
    ++turns;
  }
  CHECK(turns == 8);
}

TEST_CASE("loop guard: a person or a new task begins anew; a flood does not") {
  CHECK(!judge({.hops = 3, .automatic = 2, .paused = true}).go);
  CHECK(judge({.hops = 0, .automatic = 8, .paused = true}).go);
  CHECK(judge({.hops = 3, .automatic = 8, .paused = true, .new_task = true}).automatic == 1);
  const Verdict flood = judge({.hops = 0, .automatic = 0, .recent = 20});
  CHECK(!flood.go);
  CHECK(flood.pause);
}

TEST_CASE("loop guard: a pause that holds is not told again") {
  const Verdict verdict = judge({.hops = 9, .automatic = 8, .paused = true});
  CHECK(!verdict.go);
  CHECK(!verdict.pause);
}

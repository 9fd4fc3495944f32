#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "base/uuid.hpp"
#include "support/virtual_clock.hpp"
#include "tools/sending/delegation_keys.hpp"
#include "workspace/config/timing.hpp"

using namespace molecule;
using tools::DelegationKeys;

namespace {

constexpr std::chrono::seconds window = workspace::Timing().same_delegation;

/// Two processes of one workspace; the calendar is at the start of a window.
struct Processes {
  test::VirtualClock clock;
  DelegationKeys first{clock, window};
  DelegationKeys second{clock, window};

  static std::string key(DelegationKeys& keys, const std::string& task = "do it",
                         const std::string& tool_use = {}) {
    return keys.key_for("source", "peer", task, tool_use);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Processes, "delegation keys: the process that takes over makes the same keys") {
  const std::string made = key(first);
  CHECK(is_uuid(made));
  clock.advance(window - std::chrono::seconds(1));
  CHECK(key(second) == made);
  CHECK(key(second, "do that") != made);
  CHECK(second.key_for("source", "other", "do it", "") != made);
  CHECK(second.key_for("other", "peer", "do it", "") != made);
  clock.advance(std::chrono::seconds(1));
  DelegationKeys third(clock, window);
  CHECK(key(third) != made);
}

TEST_CASE_FIXTURE(Processes, "delegation keys: within one process the window slides") {
  clock.advance(window - std::chrono::seconds(10));
  const std::string made = key(first);
  clock.advance(window - std::chrono::seconds(1));
  CHECK(key(first) == made);
  clock.advance(std::chrono::seconds(1));
  CHECK(key(first) != made);
}

TEST_CASE_FIXTURE(Processes, "delegation keys: steps of the calendar do not shorten the window") {
  const std::string made = key(first);
  clock.step_wall(std::chrono::hours(1000));
  CHECK(key(first) == made);
  clock.step_wall(-std::chrono::hours(876'000));
  CHECK(key(first) == made);
}

TEST_CASE_FIXTURE(Processes,
                  "delegation keys: the key of a host's call id lasts, for its task only") {
  const std::string made = key(first, "do it", "toolu_1");
  clock.advance(std::chrono::hours(24));
  CHECK(key(second, "do it", "toolu_1") == made);
  // If a host reuses its ids, a different task must not be swallowed.
  CHECK(key(second, "do that", "toolu_1") != made);
  clock.advance(window);
  CHECK(key(second, "do it", "toolu_2") != made);
}

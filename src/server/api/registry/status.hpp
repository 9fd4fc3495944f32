#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace molecule::server {

// The status machine of platform-api.md 2.6, as pure functions.

/// The parts of a heartbeat that decide the status.
struct HeartbeatFacts {
  double error_rate = 0;
  std::string_view runtime_state;
  /// The runtime declared the capability `status_mgmt`: its error rate is ignored.
  bool manages_own_status = false;
};

enum class Cause { wedged, error_rate, recovered, returned, first_heartbeat };

struct Transition {
  std::string_view status;
  Cause cause;
};

/// The status after a heartbeat; empty if it does not change, as between error rates of 0.1 and 0.5
/// (hysteresis).
std::optional<Transition> after_heartbeat(std::string_view status, const HeartbeatFacts& heartbeat);

/// The status the sweep gives a workspace that was last heard from `silence` ago; empty if it does
/// not change.
std::optional<std::string_view> after_silence(
    std::string_view status, std::string_view runtime, std::chrono::microseconds silence,
    std::chrono::seconds external_limit = std::chrono::seconds(90));

}  // namespace molecule::server

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/async/clock.hpp"
#include "net/http_client.hpp"

namespace molecule::platform {

/// What is left of the calls that the platform allows in its current window (platform-api.md 0.6).
/// The last ones are kept: first for heartbeats, then for polls, so that an agent that calls tools
/// without end does not take its own workspace offline.
class RateBudget {
 public:
  /// Who needs a call.
  enum class Purpose { presence, inbox, agent };
  /// By its method and path: `POST /registry/heartbeat`.
  static Purpose purpose_of(std::string_view call);

  /// Without a clock nothing is held back.
  explicit RateBudget(const Clock* clock) : clock_(clock) {}

  /// How long the call should wait for the next window; empty if it may be made now.
  std::optional<std::chrono::seconds> wait(Purpose purpose) const;
  /// A call is made.
  void spend();
  /// What the platform reports with its answer.
  void read(const net::HttpResponse& response);
  std::int64_t limit() const { return limit_; }

 private:
  const Clock* clock_;
  std::int64_t limit_ = 0;
  std::optional<std::int64_t> remaining_;
  Clock::time_point refilled_at_ = {};
};

}  // namespace molecule::platform

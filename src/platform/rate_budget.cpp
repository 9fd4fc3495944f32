#include "platform/rate_budget.hpp"

#include <algorithm>
#include <charconv>

#include "base/text/text.hpp"

namespace molecule::platform {

namespace {

using std::chrono::seconds;

/// Kept for heartbeats, and for them and polls together: enough for a minute of both.
constexpr std::int64_t presence_reserve = 5;
constexpr std::int64_t reserve = 25;
/// At most this part of a small limit is kept.
constexpr std::int64_t max_share = 10;

std::optional<std::int64_t> number(const net::HttpResponse& response, std::string_view name) {
  const std::string_view text = text::trim(response.header(name).value_or(""));
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || value < 0) return std::nullopt;
  return value;
}

}  // namespace

RateBudget::Purpose RateBudget::purpose_of(std::string_view call) {
  if (call == "POST /registry/register" || call == "POST /registry/heartbeat") {
    return Purpose::presence;
  }
  const bool inbox = call.ends_with("/activity") || call.ends_with("/activity/ack") ||
                     call.find("/pending-uploads/") != std::string_view::npos;
  return inbox ? Purpose::inbox : Purpose::agent;
}

std::optional<seconds> RateBudget::wait(Purpose purpose) const {
  if (clock_ == nullptr || !remaining_ || purpose == Purpose::presence) return std::nullopt;
  const Clock::duration left = refilled_at_ - clock_->now();
  const std::int64_t kept = std::min(purpose == Purpose::inbox ? presence_reserve : reserve,
                                     std::max<std::int64_t>(limit_ / max_share, 1));
  if (left <= Clock::duration(0) || *remaining_ > kept) return std::nullopt;
  return std::chrono::ceil<seconds>(left);
}

void RateBudget::spend() {
  if (remaining_ && *remaining_ > 0) --*remaining_;
}

void RateBudget::read(const net::HttpResponse& response) {
  const auto remaining = number(response, "X-RateLimit-Remaining");
  const auto reset = number(response, "X-RateLimit-Reset");
  if (clock_ == nullptr || !remaining || !reset) return;
  limit_ = number(response, "X-RateLimit-Limit").value_or(*remaining);
  remaining_ = remaining;
  constexpr std::int64_t max_window = 3600;
  // Whole seconds: the window opens within the last of them.
  refilled_at_ = clock_->now() + seconds(std::min(*reset, max_window) + 1);
}

}  // namespace molecule::platform

#include "server/api/limits/request_rates.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/json/writer.hpp"

namespace molecule::server {

namespace {

constexpr std::chrono::minutes window_length{1};

}  // namespace

RequestRates::Verdict RequestRates::count(std::string_view token_id, bool presence,
                                          std::int64_t per_minute) {
  const Clock::time_point now = clock_.now();
  forget_old(now);
  std::string key(presence ? "p" : "r");
  key += token_id;
  Window& window = window_of(std::move(key), now);
  Verdict verdict;
  verdict.limit = per_minute;
  verdict.refused = window.used >= per_minute;
  if (!verdict.refused) {
    ++window.used;
    ++window.untold;
  }
  verdict.remaining = std::max<std::int64_t>(per_minute - window.used, 0);
  const Clock::duration left = window.opened + window_length - now;
  verdict.seconds = std::chrono::ceil<std::chrono::seconds>(left).count();
  return verdict;
}

RequestRates::Window& RequestRates::window_of(std::string key, Clock::time_point now) {
  Window& window = windows_.try_emplace(std::move(key), Window{.opened = now}).first->second;
  if (now - window.opened >= window_length) window = {.opened = now};
  return window;
}

std::vector<RequestRates::Share> RequestRates::take_news(std::int64_t per_minute) {
  // Well-behaved agents stay far below, and there may be thousands of them.
  constexpr std::int64_t share_told = 8;
  std::vector<Share> news;
  for (auto& [key, window] : windows_) {
    if (window.untold == 0 || window.used < per_minute / share_told) continue;
    news.push_back({.key = key, .requests = std::exchange(window.untold, 0)});
  }
  return news;
}

void RequestRates::add(const Share& share) {
  window_of(share.key, clock_.now()).used += share.requests;
}

void RequestRates::forget_old(Clock::time_point now) {
  if (now - cleaned_ < window_length) return;
  cleaned_ = now;
  std::erase_if(windows_,
                [now](const auto& item) { return now - item.second.opened >= window_length; });
}

bool is_presence(std::string_view method, std::string_view pattern) {
  if (method == "POST") {
    return pattern == "/registry/heartbeat" || pattern == "/registry/register" ||
           pattern == "/workspaces/:id/activity/ack";
  }
  return method == "GET" &&
         (pattern == "/workspaces/:id/activity" || pattern == "/workspaces/:id/events/stream");
}

void add_rate_headers(Reply& reply, const RequestRates::Verdict& verdict) {
  if (verdict.limit == 0) {
    reply.headers.emplace_back("X-RateLimit-Limit", "unlimited");
    return;
  }
  reply.headers.emplace_back("X-RateLimit-Limit", std::to_string(verdict.limit));
  reply.headers.emplace_back("X-RateLimit-Remaining", std::to_string(verdict.remaining));
  reply.headers.emplace_back("X-RateLimit-Reset", std::to_string(verdict.seconds));
}

Reply rate_refusal(const RequestRates::Verdict& verdict) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("error", "rate limit exceeded");
    out.field("retry_after", verdict.seconds);
  }
  Reply reply = json_reply(429, std::move(writer).take());
  reply.headers.emplace_back("Retry-After", std::to_string(verdict.seconds));
  return reply;
}

}  // namespace molecule::server

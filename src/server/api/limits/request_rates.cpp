#include "server/api/limits/request_rates.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

#include "base/json/writer.hpp"

namespace molecule::server {

namespace {

constexpr std::chrono::minutes window_length{1};

/// The first letter of a client's key; others are a token's.
constexpr char client_letter = 'c';

Reply refusal(const RequestRates::Verdict& verdict, std::string_view text) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("error", text);
    out.field("retry_after", verdict.seconds);
  }
  Reply reply = json_reply(429, std::move(writer).take());
  reply.headers.emplace_back("Retry-After", std::to_string(verdict.seconds));
  return reply;
}

}  // namespace

RequestRates::Verdict RequestRates::count(std::string_view token_id, bool presence,
                                          std::int64_t per_minute) {
  return count_key((presence ? "p" : "r") + std::string(token_id), per_minute);
}

RequestRates::Verdict RequestRates::count(const asio::ip::address& client,
                                          std::int64_t per_minute) {
  return count_key(client_letter + client.to_string(), per_minute);
}

RequestRates::Verdict RequestRates::count_key(std::string key, std::int64_t per_minute) {
  const Clock::time_point now = clock_.now();
  forget_old(now);
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
  const bool client = key.starts_with(client_letter);
  if (client && clients_.size() >= max_clients && !clients_.contains(key)) forget_least_used();
  Windows& windows = client ? clients_ : windows_;
  Window& window = windows.try_emplace(std::move(key), Window{.opened = now}).first->second;
  if (now - window.opened >= window_length) window = {.opened = now};
  return window;
}

std::vector<RequestRates::Share> RequestRates::take_news(std::int64_t per_minute_of_token,
                                                         std::int64_t per_minute_of_client) {
  // Well-behaved agents stay far below, and there may be thousands of them.
  constexpr std::int64_t share_told = 8;
  std::vector<Share> news;
  const auto take = [&news](Windows& windows, std::int64_t per_minute) {
    if (per_minute == 0) return;
    for (auto& [key, window] : windows) {
      if (window.untold == 0 || window.used < per_minute / share_told) continue;
      news.push_back({.key = key, .requests = std::exchange(window.untold, 0)});
    }
  };
  take(windows_, per_minute_of_token);
  take(clients_, per_minute_of_client);
  return news;
}

void RequestRates::add(const Share& share) {
  window_of(share.key, clock_.now()).used += share.requests;
}

void RequestRates::forget_old(Clock::time_point now) {
  if (now - cleaned_ < window_length) return;
  cleaned_ = now;
  const auto is_old = [now](const auto& item) { return now - item.second.opened >= window_length; };
  std::erase_if(windows_, is_old);
  std::erase_if(clients_, is_old);
}

void RequestRates::forget_least_used() {
  // Half of them, so that this is seldom done.
  std::vector<std::int64_t> uses;
  uses.reserve(clients_.size());
  for (const auto& [key, window] : clients_) uses.push_back(window.used);
  const auto middle = uses.begin() + static_cast<std::ptrdiff_t>(uses.size() / 2);
  std::ranges::nth_element(uses, middle);
  std::erase_if(clients_, [&](const auto& item) { return item.second.used < *middle; });
  std::erase_if(clients_, [&, left = clients_.size()](const auto& item) mutable {
    return item.second.used == *middle && left-- > max_clients / 2;
  });
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
  return refusal(verdict, "rate limit exceeded");
}

Reply client_refusal(const RequestRates::Verdict& verdict) {
  return refusal(verdict,
                 "rate limit exceeded: too many requests without a valid token from this address");
}

}  // namespace molecule::server

#include "server/http/limits/guess_brake.hpp"

#include <algorithm>

#include "server/http/http_request.hpp"

namespace molecule::server {

namespace {

constexpr std::size_t max_addresses = 4096;

}  // namespace

double GuessBrake::decayed(const Count& count, Clock::time_point now) const {
  const std::chrono::duration<double, std::ratio<60>> minutes = now - count.at;
  return std::max(0.0, count.wrong - minutes.count() * free_per_minute);
}

GuessBrake::Verdict GuessBrake::wrong(const asio::ip::address& address) {
  const Clock::time_point now = clock_.now();
  if (counts_.size() >= max_addresses) {
    std::erase_if(counts_, [&](const auto& item) { return decayed(item.second, now) <= 0; });
    // Guessers from very many addresses: all of them are one.
    if (counts_.size() >= max_addresses) return {.wait = true, .refuse = false};
  }
  Count& count = counts_[address];
  count.wrong = std::min(decayed(count, now) + 1, 2 * max_per_minute);
  count.at = now;
  return {.wait = count.wrong > free_per_minute, .refuse = count.wrong > max_per_minute};
}

bool GuessBrake::slows(const asio::ip::address& address, const Request& request, Reply& reply) {
  const bool token = request.bearer().has_value() || offered_bearer(request).has_value();
  if (reply.status != 401 || !token) return false;
  const Verdict verdict = wrong(address);
  if (verdict.refuse) {
    reply = error_reply(429, "too many wrong tokens: retry later");
    reply.headers.emplace_back("Retry-After", "60");
  }
  return verdict.wait;
}

}  // namespace molecule::server

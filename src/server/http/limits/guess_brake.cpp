#include "server/http/limits/guess_brake.hpp"

#include <algorithm>

#include "server/http/events/handshake.hpp"
#include "server/http/http_request.hpp"

namespace molecule::server {

namespace {

constexpr std::size_t max_addresses = 4096;

double free_of(GuessBrake::Secret secret) {
  return secret == GuessBrake::Secret::login ? GuessBrake::logins_per_minute
                                             : GuessBrake::free_per_minute;
}

}  // namespace

double GuessBrake::decayed(const Key& key, const Count& count, Clock::time_point now) const {
  const std::chrono::duration<double, std::ratio<60>> minutes = now - count.at;
  return std::max(0.0, count.wrong - minutes.count() * free_of(key.second));
}

GuessBrake::Verdict GuessBrake::wrong(const asio::ip::address& address, Secret secret) {
  const Clock::time_point now = clock_.now();
  const Key key{address, secret};
  const double max = secret == Secret::login ? logins_per_minute : max_per_minute;
  if (counts_.size() >= max_addresses) {
    std::erase_if(counts_,
                  [&](const auto& item) { return decayed(item.first, item.second, now) <= 0; });
    // Guessers from very many addresses: all of them are one.
    if (counts_.size() >= max_addresses) return {.wait = true, .refuse = false};
  }
  Count& count = counts_[key];
  count.wrong = std::min(decayed(key, count, now) + 1, 2 * max);
  count.at = now;
  return {.wait = count.wrong > free_of(secret), .refuse = count.wrong > max};
}

void GuessBrake::hear(std::string_view text) {
  const bool login = text.starts_with('l');
  asio::error_code invalid;
  const std::string_view named = text.substr(0, text.find(' '));
  const asio::ip::address address =
      asio::ip::make_address(named.substr(std::min<std::size_t>(1, named.size())), invalid);
  if (!invalid) wrong(address, login ? Secret::login : Secret::token);
}

bool GuessBrake::slows(const Request& request, Reply& reply) {
  const bool login = decode_segment(request.path) == "/login";
  const bool token = request.bearer().has_value() || socket_offer(request).token.has_value();
  const bool refused = reply.status == 401 || reply.wrong_credential;
  if (!refused || !(token || login) || !request.client) return false;
  const Verdict verdict = wrong(*request.client, login ? Secret::login : Secret::token);
  // Numbered, as each counts.
  if (tell) tell((login ? "l" : "t") + request.client->to_string() + ' ' + std::to_string(++told_));
  if (verdict.refuse) {
    reply = error_reply(429, "too many wrong tokens: retry later");
    reply.headers.emplace_back("Retry-After", "60");
  }
  return verdict.wait;
}

}  // namespace molecule::server
